/** How a consent is confirmed, and by whom: the application's end user or principal as a SHA-256, never in clear. */
export const consentModes: readonly string[] = [
  `ALTER TABLE consent_links
    ADD COLUMN mode text NOT NULL DEFAULT 'link' CHECK (mode IN ('link', 'session', 'handback')),
    ADD COLUMN confirmer_hash text,
    ADD CHECK ((mode = 'link') = (confirmer_hash IS NULL))`,
];
