/** The outcome of a confirmation, as a resource or in words. */
import type { z } from 'zod';
import type { ConsentReading } from '../../connection/messages';
import type { Lang } from '../../connection/reasons';
import type { ConnectionRef } from '../../connection/types';
import { plain, wordReason } from '../../connection/wording';
import { isDurableOAuthError } from '../../errors';
import { ProblemError } from '../problem';
import type { confirmationDocument } from '../schemas/confirmation';
import { connectionPath } from '../paths';

export function toConfirmation(
  { tenant, connection }: ConnectionRef,
  consent: string,
  { stage, app, account, sameAccount = 'first', scope }: ConsentReading,
): z.output<typeof confirmationDocument>['data'] {
  return {
    type: 'confirmation',
    id: consent,
    attributes: {
      stage: stage === 'connected' ? stage : 'handing_over',
      app,
      account: account ?? null,
      same_account: sameAccount,
      scope,
    },
    relationships: {
      connection: {
        links: { related: connectionPath(tenant, connection) },
        data: { type: 'connection', id: connection },
      },
    },
  };
}

const END_USER_ID = '/data/attributes/end_user_id';

/** @throws ProblemError for a confirmation without the end user it needs, or with one where none belongs; else the error */
export function otherMode(error: unknown): never {
  if (isDurableOAuthError(error, 'MEMBER_MISSING')) {
    const detail = 'The link was made for an end user (mode handback): say who is signed in';
    throw new ProblemError([{ code: error.code, status: 422, detail, pointer: END_USER_ID }]);
  }
  if (isDurableOAuthError(error, 'MEMBER_INVALID')) {
    const detail = 'The link was made for the principal that made it (mode session), not for an end user';
    throw new ProblemError([{ code: error.code, detail, pointer: END_USER_ID }]);
  }
  throw error;
}

/** A consent that ended with this confirmation, without connecting anything. */
export function failedConfirmation(
  { app, account, code = 'INTERNAL', detail }: ConsentReading,
  lang: Lang,
): ProblemError {
  const values = { app: plain(app), account: account && plain(account) };
  const { title, reason, effect, next } = wordReason(code, lang, values, { detail });
  const said = [reason, effect, next].filter(Boolean).join(' ');
  return new ProblemError([{ code, title, detail: said, meta: { detail } }]);
}
