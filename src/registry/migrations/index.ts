import { initial } from './0001-initial';
import { quarantine } from './0002-quarantine';
import { platform } from './0003-platform';
import { linkCompletedBy } from './0004-link-completed-by';
import { connectionLists } from './0005-connection-lists';
import { providers } from './0006-providers';
import { idempotency } from './0007-idempotency';
import { deletedIntegrations } from './0008-deleted-integrations';
import { consentModes } from './0009-consent-modes';
import { unpublishedSecrets } from './0010-unpublished-secrets';
import { consentAttempts } from './0011-consent-attempts';

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** In the order in which they are applied; one that was released never changes. */
export const MIGRATIONS: readonly Migration[] = [
  { name: '0001-initial', statements: initial },
  { name: '0002-quarantine', statements: quarantine },
  { name: '0003-platform', statements: platform },
  { name: '0004-link-completed-by', statements: linkCompletedBy },
  { name: '0005-connection-lists', statements: connectionLists },
  { name: '0006-providers', statements: providers },
  { name: '0007-idempotency', statements: idempotency },
  { name: '0008-deleted-integrations', statements: deletedIntegrations },
  { name: '0009-consent-modes', statements: consentModes },
  { name: '0010-unpublished-secrets', statements: unpublishedSecrets },
  { name: '0011-consent-attempts', statements: consentAttempts },
];
