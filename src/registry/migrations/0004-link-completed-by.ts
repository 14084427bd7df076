/** Which consent used a link up: a repeated answer is told from another browser's. */
export const linkCompletedBy: readonly string[] = [`ALTER TABLE consent_links ADD COLUMN completed_by text`];
