/**
 * An integration is deleted step by step, as an OAuth client is: from `deleting` on nobody sees it; as `deleted` its row is
 * kept for the connections that name it, and its id is not used again.
 */
export const deletedIntegrations: readonly string[] = [
  `ALTER TABLE integrations
    ADD COLUMN status text NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'deleting', 'deleted'))`,
];
