/** The outcome of a confirmation, as a resource or in words. */
import type { z } from 'zod';
import type { ConsentReading } from '../../connection/messages';
import type { Lang } from '../../connection/reasons';
import type { ConnectionRef } from '../../connection/types';
import { plain, wordReason } from '../../connection/wording';
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
