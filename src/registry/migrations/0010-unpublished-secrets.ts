/** A client secret is named before it is stored: whatever a save leaves behind when it is ended by hand can be found. */
export const unpublishedSecrets: readonly string[] = [
  `ALTER TABLE client_secrets ALTER COLUMN fingerprint DROP NOT NULL`,
  `CREATE INDEX client_secrets_unpublished ON client_secrets (set_at) WHERE fingerprint IS NULL`,
];
