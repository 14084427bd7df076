/** After a restore: no refresh until somebody lets the connection go on. */
export const quarantine: readonly string[] = [`ALTER TABLE connections ADD COLUMN quarantined_at timestamptz`];
