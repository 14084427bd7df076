/** Words around the reasons: headings, who must act, how it ends, what an attempt and a revocation came to. Data only. */
import type { Both } from './reasons';
import type { Recovery, Who } from './types';
import type { FailureClass } from '../errors';

/** How a disconnected connection comes back. */
export const RECOVERIES: Both<Readonly<Record<Recovery, string>>> = {
  en: {
    automatic: 'It recovers by itself.',
    after_fix: 'It recovers by itself after the correction.',
    reconnect: 'It works again only after reconnecting.',
  },
  es: {
    automatic: 'Se recupera sola.',
    after_fix: 'Se recupera sola tras la corrección.',
    reconnect: 'Solo vuelve a funcionar al conectar de nuevo.',
  },
};

export const WHO: Both<Readonly<Record<Who, string>>> = {
  en: {
    nobody: 'nobody',
    account_owner: 'the owner of the {app} account',
    administrator: 'an administrator of this tenant',
    provider_administrator: 'an administrator at {app}',
    operator: 'the operator of this platform',
    flow_author: 'the author of the flow',
  },
  es: {
    nobody: 'nadie',
    account_owner: 'la persona titular de la cuenta de {app}',
    administrator: 'un administrador de este tenant',
    provider_administrator: 'un administrador de {app}',
    operator: 'el operador de esta plataforma',
    flow_author: 'quien creó el flujo',
  },
};

/** What a failure class says about one attempt. */
export const FAILURES: Both<Readonly<Record<FailureClass, string>>> = {
  en: {
    REAUTH: 'access refused',
    CONFIG: 'setting refused',
    TRANSIENT: 'temporary failure',
    AMBIGUOUS: 'answer lost',
    BLOCKED: 'not sent',
  },
  es: {
    REAUTH: 'acceso rechazado',
    CONFIG: 'ajuste rechazado',
    TRANSIENT: 'fallo temporal',
    AMBIGUOUS: 'respuesta perdida',
    BLOCKED: 'no enviado',
  },
};

/** Headings of a health reading. */
export const HEADINGS = {
  en: {
    effect: 'What is affected',
    next: 'Next step',
    who: 'Who must act',
    since: 'Since',
    expires: 'Access valid until',
    nextAttempt: 'Next attempt',
    evidence: 'Evidence',
  },
  es: {
    effect: 'Qué se ve afectado',
    next: 'Próximo paso',
    who: 'Quién debe actuar',
    since: 'Desde',
    expires: 'Acceso válido hasta',
    nextAttempt: 'Próximo intento',
    evidence: 'Evidencia',
  },
} as const satisfies Both<Readonly<Record<string, string>>>;

/** Names of the facts of an attempt. */
export const FACTS = {
  en: {
    attempt: 'attempt',
    code: 'reason code',
    providerCode: 'the provider said',
    requestId: "the provider's request id",
  },
  es: {
    attempt: 'intento',
    code: 'código del motivo',
    providerCode: 'el proveedor dijo',
    requestId: 'id de solicitud del proveedor',
  },
} as const satisfies Both<Readonly<Record<string, string>>>;

/** What revocation did at the provider: the words behind {steps}. */
export const REVOCATION_STEPS = {
  en: {
    pending: 'the revocation is still being sent',
    revoked: 'the access was revoked at {at}',
    not_supported: 'nothing, because {app} offers no revocation',
    gave_up: 'the revocation was tried for days without success',
    nothing_to_revoke: 'nothing, because there was no access to revoke',
    destroyed: 'Our copy of the access was destroyed at {at}.',
    not_destroyed: 'Our copy of the access is no longer used and is being destroyed.',
  },
  es: {
    pending: 'la revocación se está enviando todavía',
    revoked: 'el acceso se revocó el {at}',
    not_supported: 'nada, porque {app} no ofrece revocación',
    gave_up: 'la revocación se intentó durante días sin éxito',
    nothing_to_revoke: 'nada, porque no había acceso que revocar',
    destroyed: 'Nuestra copia del acceso se destruyó el {at}.',
    not_destroyed: 'Nuestra copia del acceso ya no se usa y se está destruyendo.',
  },
} as const satisfies Both<Readonly<Record<string, string>>>;
