/** A connection as components of elastic.io read a secret of a workspace. */
import type { z } from 'zod';
import { healthOfRow } from '../../client/connections';
import type { FreshToken } from '../../client/contract';
import { epoch, SECOND } from '../../connection/clocks';
import type { Lang } from '../../connection/reasons';
import { ERRORS, type ErrorCode } from '../../errors';
import type { Catalogue } from '../../providers/preset';
import type { ConnectionContext } from '../../registry/contract';
import type { secretDocument } from '../schemas/workspace-secret';

type Secret = z.output<typeof secretDocument>['data'];

export function readySecret(context: ConnectionContext, token: FreshToken): Secret {
  const left = token.expiresAt === null ? undefined : Math.floor((epoch(token.expiresAt) - Date.now()) / SECOND);
  return secretOf(context, {
    state: 'ready',
    credentials: {
      access_token: token.accessToken.reveal(),
      token_type: token.tokenType,
      expires_in: left,
      ...withoutToken(context),
    },
  });
}

/** @param code why no access token was had */
export function brokenSecret(context: ConnectionContext, code: ErrorCode, catalogue: Catalogue, lang: Lang): Secret {
  const { state } = context.connection;
  const { title, nextAction } = healthOfRow(context, catalogue, lang);
  // The row learns it a moment later.
  const lags = state === 'active' || state === 'degraded';
  const error = lags ? ERRORS[code].meaning : `${title}. ${nextAction}`;
  return secretOf(context, { state: 'error', error, credentials: withoutToken(context) });
}

type State = Pick<Secret['attributes'], 'state' | 'error' | 'credentials'>;

function secretOf({ connection: { tenant, id }, integration }: ConnectionContext, state: State): Secret {
  return {
    type: 'secret',
    id,
    attributes: { name: integration.settings.label, type: 'oauth2', ...state },
    relationships: { workspace: { data: { type: 'workspace', id: tenant } } },
  };
}

/** Components reach into `undefined_params` unasked: it is there without a token, too. */
const withoutToken = ({ connection, integration }: ConnectionContext): Omit<State['credentials'], 'access_token'> => ({
  scope: connection.scope,
  undefined_params: { instance_url: new URL(integration.settings.api_base_url).origin },
});
