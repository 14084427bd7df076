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

/** What came of a refresh that somebody asked for. */
export const REFRESH_OUTCOMES = {
  en: {
    refreshed: '{app} renewed the access. It is valid until {until}.',
    kept: 'The access was kept: it is very new, or {app} gives no newer one yet. It is valid until {until}.',
    pending: '{app} has not answered yet. Look again in a moment.',
    not_refreshed: 'The access was not renewed.',
  },
  es: {
    refreshed: '{app} renovó el acceso. Es válido hasta el {until}.',
    kept: 'El acceso se conservó: es muy nuevo, o {app} no da todavía uno más nuevo. Es válido hasta el {until}.',
    pending: '{app} no ha respondido todavía. Vuelva a mirar en un momento.',
    not_refreshed: 'El acceso no se renovó.',
  },
} as const satisfies Both<Readonly<Record<string, string>>>;

/** What a test of a connection showed. */
export const TEST_OUTCOMES = {
  en: {
    works: '{app} accepted our access.',
    refused: '{app} answered, but does not accept our access.',
    not_permitted: '{app} knows our access, but does not permit what was asked. A permission may be missing.',
    unproven: '{app} answers, but not whether it accepts our access: there is nothing at the address that was asked.',
    failing: '{app} has a problem of its own, or asks us to slow down. Test again later.',
    unreachable: '{app} did not answer. Test again later.',
    not_sent: 'Nothing was sent to {app}: there is no access to test, or no address that may be asked.',
  },
  es: {
    works: '{app} aceptó nuestro acceso.',
    refused: '{app} respondió, pero no acepta nuestro acceso.',
    not_permitted: '{app} conoce nuestro acceso, pero no permite lo que se pidió. Puede que falte un permiso.',
    unproven: '{app} responde, pero no dice si acepta nuestro acceso: no hay nada en la dirección consultada.',
    failing: '{app} tiene un problema propio o nos pide reducir el ritmo. Pruebe de nuevo más tarde.',
    unreachable: '{app} no respondió. Pruebe de nuevo más tarde.',
    not_sent: 'No se envió nada a {app}: no hay acceso que probar ni dirección que se pueda consultar.',
  },
} as const satisfies Both<Readonly<Record<string, string>>>;

/** What a revocation would do. */
export const IMPACT = {
  en: {
    none: 'No flow includes this connection.',
    stops: 'Flows that include this connection: {flows}. {fallback}',
    waiting: 'Steps that wait for it now, and go on waiting: {waiting}.',
    stays:
      'Data already received stays. History, events and records of runs stay readable. The access itself is destroyed, here and, where {app} offers it, there.',
    reconnect: 'The connection keeps its id: whoever may create a consent link can connect it again.',
    save_again: 'It was connected without consent of a person: whoever may save an integration can connect anew.',
  },
  es: {
    none: 'Ningún flujo incluye esta conexión.',
    stops: 'Flujos que incluyen esta conexión: {flows}. {fallback}',
    waiting: 'Pasos que la esperan ahora y la seguirán esperando: {waiting}.',
    stays:
      'Los datos ya recibidos se conservan. El historial, los eventos y los registros de ejecución siguen siendo legibles. El acceso en sí se destruye, aquí y, donde {app} lo ofrece, allí.',
    reconnect:
      'La conexión mantiene su identificador: quien pueda crear un enlace de consentimiento puede volver a conectarla.',
    save_again:
      'Se conectó sin el consentimiento de una persona: quien pueda guardar una integración puede conectar de nuevo.',
  },
} as const satisfies Both<Readonly<Record<string, string>>>;
