/**
 * When the last attempt at a consent began: a client that is deleted keeps its secret until none that began before can be
 * under way. Of attempts before this migration nothing is known but that they may have begun just now.
 */
export const consentAttempts: readonly string[] = [
  `ALTER TABLE consent_links ADD COLUMN last_attempt_at timestamptz`,
  `UPDATE consent_links SET last_attempt_at = now() WHERE attempts > 0`,
];
