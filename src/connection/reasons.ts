/**
 * What a connection's states and reasons mean, in support language, English and Spanish. Data only; `wording.ts` fills it.
 *
 * A sentence whose placeholder is unknown is left out whole, so every text is made of sentences that stand alone.
 * `{fallback}`, `{remedy}` and `{detail}` stand for whole sentences.
 */
import type { ConnectionState, Fallback, Who } from './types';
import type { ErrorCode } from '../errors';

export type Lang = 'en' | 'es';
export const LANGS: readonly Lang[] = ['en', 'es'];

export type Both<T> = Readonly<Record<Lang, T>>;

export interface StateText {
  readonly label: string;
  readonly reason: string;
  readonly effect: string;
  readonly next: string;
}

/** Which way a consent was not completed. */
export type Detail = 'declined' | 'abandoned' | 'expired' | 'used' | 'other_user';

export interface ReasonText {
  readonly title: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<Detail, string>>;
  readonly effect: string;
  readonly next: string;
}

export type Reason = Both<ReasonText> & { readonly who: Who };

export const STATES: Readonly<Record<ConnectionState, Both<StateText>>> = {
  pending_consent: {
    en: {
      label: 'Waiting for consent',
      reason: 'Nobody has granted access to {app} yet.',
      effect: 'Nothing can run through this connection.',
      next: 'Open the consent link, or send it to the person who owns the {app} account. The link works until {until}.',
    },
    es: {
      label: 'En espera de consentimiento',
      reason: 'Nadie ha concedido todavía acceso a {app}.',
      effect: 'Nada puede ejecutarse con esta conexión.',
      next: 'Abra el enlace de consentimiento o envíelo a la persona titular de la cuenta de {app}. El enlace sirve hasta el {until}.',
    },
  },
  active: {
    en: {
      label: 'Active',
      reason: '{app} last accepted our access on {since}.',
      effect: 'Flows run normally.',
      next: 'Nothing to do. Next renewal: {next_attempt}.',
    },
    es: {
      label: 'Activa',
      reason: '{app} aceptó nuestro acceso por última vez el {since}.',
      effect: 'Los flujos se ejecutan con normalidad.',
      next: 'No hay que hacer nada. Próxima renovación: {next_attempt}.',
    },
  },
  degraded: {
    en: {
      label: 'Degraded',
      reason: 'Access still works, but the last attempt to renew it failed.',
      effect: 'Flows keep running until {until}. If renewal has not succeeded by then, access stops.',
      next: 'We try again at {next_attempt}. Act only if the reason shown below asks you to.',
    },
    es: {
      label: 'Degradada',
      reason: 'El acceso todavía funciona, pero el último intento de renovarlo falló.',
      effect:
        'Los flujos siguen funcionando hasta el {until}. Si para entonces no se ha podido renovar, el acceso se interrumpe.',
      next: 'Volveremos a intentarlo el {next_attempt}. Actúe solo si el motivo indicado abajo lo pide.',
    },
  },
  reauth_required: {
    en: {
      label: 'Waiting for renewed consent',
      reason: '{app} no longer accepts the access that {account} granted.',
      effect: '{flows} flows are affected. {fallback} Data already received stays.',
      next: 'Renew consent with the same {app} account. Ask {owner} for it, or anyone under "Who can reconnect".',
    },
    es: {
      label: 'En espera de un nuevo consentimiento',
      reason: '{app} ya no acepta el acceso que concedió {account}.',
      effect: 'Hay {flows} flujos afectados. {fallback} Los datos ya recibidos se conservan.',
      next: 'Renueve el consentimiento con la misma cuenta de {app}. Pídalo a {owner} o a cualquiera de la lista «Quién puede reconectar».',
    },
  },
  disconnected: {
    en: {
      label: 'Disconnected',
      reason: 'This connection has no working access to {app} since {since}.',
      effect: '{flows} flows are affected. {fallback} Data already received stays.',
      next: 'The reason below says whether it recovers by itself, after a correction, or only after reconnecting.',
    },
    es: {
      label: 'Desconectada',
      reason: 'Esta conexión no tiene acceso válido a {app} desde el {since}.',
      effect: 'Hay {flows} flujos afectados. {fallback} Los datos ya recibidos se conservan.',
      next: 'El motivo indicado abajo dice si se recupera sola, tras una corrección o solo al volver a conectar.',
    },
  },
};

export const REASONS = {
  // invalid_grant, cause not stated by the provider
  GRANT_REFUSED: {
    who: 'account_owner',
    en: {
      title: 'Access was withdrawn',
      reason:
        '{app} refused the access we had stored. Usual causes: the password was changed, access was removed in {app}, the user was deactivated, or too many programs connected with the same account.',
      effect: '{fallback}',
      next: 'Renew consent with the same {app} account. If it happens again within days, find out in {app} who removes the access, and quote {evidence} to support.',
    },
    es: {
      title: 'El acceso fue retirado',
      reason:
        '{app} rechazó el acceso que teníamos guardado. Causas habituales: se cambió la contraseña, se retiró el acceso desde {app}, se desactivó al usuario o demasiados programas se conectaron con la misma cuenta.',
      effect: '{fallback}',
      next: 'Renueve el consentimiento con la misma cuenta de {app}. Si se repite en pocos días, averigüe en {app} quién retira el acceso e indique {evidence} al soporte.',
    },
  },
  // idle or absolute limit reached and the provider refused
  AUTHORIZATION_EXPIRED: {
    who: 'account_owner',
    en: {
      title: 'Authorization expired',
      reason: '{app} limits how long an authorization lasts. This one ended on {expired_on}.',
      effect: '{fallback}',
      next: 'Renew consent. The new authorization starts a new period, and we will warn you before it ends.',
    },
    es: {
      title: 'La autorización caducó',
      reason: '{app} limita la duración de una autorización. Esta terminó el {expired_on}.',
      effect: '{fallback}',
      next: 'Renueve el consentimiento. La nueva autorización inicia otro periodo y le avisaremos antes de que termine.',
    },
  },
  // code answer without refresh token where one is required
  REFRESH_TOKEN_MISSING: {
    who: 'account_owner',
    en: {
      title: 'Access cannot be renewed',
      reason: '{app} granted access, but without the means to renew it (no refresh token).',
      effect: 'The account was not saved, because access would have ended on {until}.',
      next: '{remedy}',
    },
    es: {
      title: 'El acceso no se puede renovar',
      reason: '{app} concedió el acceso, pero sin el medio para renovarlo (no entregó un token de actualización).',
      effect: 'La cuenta no se guardó, porque el acceso habría terminado el {until}.',
      next: '{remedy}',
    },
  },
  // invalid_client, expired or replaced client secret
  CLIENT_REJECTED: {
    who: 'administrator',
    en: {
      title: 'Client ID or secret not accepted',
      reason:
        '{app} does not accept the client ID or client secret of "{client}". The secret was probably replaced or has expired.',
      effect:
        'All {connections} connections of this OAuth client are affected. Their consents are intact: nobody has to sign in again.',
      next: 'An administrator copies the current client secret from the {app} developer console into "{client}". The connections then recover by themselves.',
    },
    es: {
      title: 'ID o secreto de cliente no aceptado',
      reason:
        '{app} no acepta el ID o el secreto de cliente de «{client}». Es probable que el secreto se haya sustituido o haya caducado.',
      effect:
        'Afecta a las {connections} conexiones de este cliente OAuth. Sus consentimientos siguen intactos: nadie tiene que volver a iniciar sesión.',
      next: 'Un administrador copia el secreto de cliente actual desde la consola de desarrolladores de {app} en «{client}». Después las conexiones se recuperan solas.',
    },
  },
  // DNS, connect, 5xx, time-out
  PROVIDER_UNREACHABLE: {
    who: 'nobody',
    en: {
      title: '{app} does not answer',
      reason: '{app} has not answered our renewal requests correctly since {since}.',
      effect: 'Access that is still valid keeps working until {until}; after that: {fallback}',
      next: 'Nothing to do: we keep trying, next at {next_attempt}. If the status page of {app} reports no problem, give support {evidence}.',
    },
    es: {
      title: '{app} no responde',
      reason: '{app} no responde correctamente a nuestras solicitudes de renovación desde el {since}.',
      effect: 'El acceso aún válido sigue funcionando hasta el {until}; después: {fallback}',
      next: 'No hay que hacer nada: seguimos intentándolo, la próxima vez el {next_attempt}. Si la página de estado de {app} no informa de ningún problema, indique {evidence} al soporte.',
    },
  },
  // 429 or the provider's throttle text
  RATE_LIMITED: {
    who: 'nobody',
    en: {
      title: 'Too many requests to {app}',
      reason: '{app} asked us to slow down.',
      effect: 'Renewals for "{client}" wait. Flows keep running while their access is valid (until {until}).',
      next: 'Nothing to do: we continue at {next_attempt}. If this repeats, lower the number of programs that use the same OAuth client.',
    },
    es: {
      title: 'Demasiadas solicitudes a {app}',
      reason: '{app} nos pidió reducir el ritmo de solicitudes.',
      effect:
        'Las renovaciones de «{client}» esperan. Los flujos siguen funcionando mientras su acceso sea válido (hasta el {until}).',
      next: 'No hay que hacer nada: continuamos el {next_attempt}. Si se repite, reduzca el número de programas que usan el mismo cliente OAuth.',
    },
  },
  // granted scope narrower than needed; 403 insufficient_scope
  PERMISSION_MISSING: {
    who: 'account_owner',
    en: {
      title: 'A permission is missing',
      reason: 'These permissions were not granted or were removed in {app}: {missing}.',
      effect: 'Calls that need them fail; everything else works.',
      next: 'Renew consent and leave all requested permissions selected. If {app} does not offer them, the account may lack the role or plan.',
    },
    es: {
      title: 'Falta un permiso',
      reason: 'Estos permisos no se concedieron o se retiraron en {app}: {missing}.',
      effect: 'Fallan las llamadas que los necesitan; todo lo demás funciona.',
      next: 'Renueve el consentimiento y deje marcados todos los permisos solicitados. Si {app} no los ofrece, puede que la cuenta no tenga el rol o el plan necesario.',
    },
  },
  // access_denied, abandoned, link expired; {detail} names which
  CONSENT_NOT_COMPLETED: {
    who: 'account_owner',
    en: {
      title: 'Consent was not completed',
      reason: '{detail}',
      detail: {
        declined: 'The request was declined in {app}.',
        abandoned:
          'The sign-in at {app} was started but never came back. If {app} showed an error about the redirect URI, register exactly this one there: {uri}',
        expired: 'The consent link ran out on {expired_on}.',
        used: 'Meanwhile the consent link was used in another browser.',
        other_user: 'It was given by another user than the one the link was made for. The new access was discarded.',
      },
      effect: 'Nothing was changed. An access granted earlier keeps working.',
      next: 'Open the link again, or send a new one. All settings were kept.',
    },
    es: {
      title: 'No se completó el consentimiento',
      reason: '{detail}',
      detail: {
        declined: 'La solicitud fue rechazada en {app}.',
        abandoned:
          'El inicio de sesión en {app} comenzó, pero no hubo respuesta. Si {app} mostró un error sobre el URI de redirección, registre allí exactamente este: {uri}',
        expired: 'El enlace de consentimiento venció el {expired_on}.',
        used: 'Entretanto, el enlace de consentimiento se usó en otro navegador.',
        other_user: 'Lo dio un usuario distinto de aquel para quien se creó el enlace. El nuevo acceso se descartó.',
      },
      effect: 'No se modificó nada. Un acceso concedido antes sigue funcionando.',
      next: 'Abra de nuevo el enlace o envíe uno nuevo. Se conservaron todos los ajustes.',
    },
  },
  // the token endpoint named it
  REDIRECT_URI_MISMATCH: {
    who: 'administrator',
    en: {
      title: 'Redirect URI not registered',
      reason: '{app} does not know the address it must send people back to.',
      effect: 'Nobody can connect through this integration. Existing connections are not affected.',
      next: 'In the {app} developer console register exactly this redirect URI, including https and without a final slash, then try again: {uri}',
    },
    es: {
      title: 'URI de redirección no registrado',
      reason: '{app} no conoce la dirección a la que debe devolver a las personas.',
      effect: 'Nadie puede conectarse con esta integración. Las conexiones existentes no se ven afectadas.',
      next: 'En la consola de desarrolladores de {app} registre exactamente este URI de redirección, con https y sin barra final, y vuelva a intentarlo: {uri}',
    },
  },
  // admin consent, blocked app, MFA or IP policy
  ADMIN_APPROVAL_REQUIRED: {
    who: 'provider_administrator',
    en: {
      title: 'An administrator at {app} must approve',
      reason: "The organization's rules in {app} do not allow this person to grant this access alone.",
      effect: 'The connection stays as it was.',
      next: 'Send this page to the administrator of your {app} organization; it lists the application and the permissions to approve. Then connect again.',
    },
    es: {
      title: 'Debe aprobarlo un administrador de {app}',
      reason: 'Las reglas de la organización en {app} no permiten que esta persona conceda por sí sola este acceso.',
      effect: 'La conexión queda como estaba.',
      next: 'Envíe esta página al administrador de su organización en {app}; en ella figuran la aplicación y los permisos que debe aprobar. Después vuelva a conectar.',
    },
  },
  WRONG_ACCOUNT: {
    who: 'account_owner',
    en: {
      title: 'Different account',
      reason: 'Consent came from {account}, but this connection belongs to another account at {app}.',
      effect: 'Nothing was changed: the earlier access keeps working, and the new one was discarded.',
      next: 'Sign out of {app} in this browser and connect with the right account, or create a new connection for {account}.',
    },
    es: {
      title: 'Cuenta distinta',
      reason: 'El consentimiento provino de {account}, pero esta conexión pertenece a otra cuenta de {app}.',
      effect: 'No se modificó nada: el acceso anterior sigue funcionando y el nuevo se descartó.',
      next: 'Cierre la sesión de {app} en este navegador y conecte con la cuenta correcta, o cree una conexión nueva para {account}.',
    },
  },
  REFRESH_OUTCOME_UNKNOWN: {
    who: 'account_owner',
    en: {
      title: 'Renewal result unknown',
      reason:
        '{app} received our renewal request, but its answer was lost. We cannot know whether it replaced the access.',
      effect: 'Flows keep running until {until}.',
      next: 'We check again at {next_attempt}. To be safe, renew consent before {until}; this never harms.',
    },
    es: {
      title: 'Resultado de la renovación desconocido',
      reason:
        '{app} recibió nuestra solicitud de renovación, pero su respuesta se perdió. No podemos saber si sustituyó el acceso.',
      effect: 'Los flujos siguen funcionando hasta el {until}.',
      next: 'Lo comprobaremos de nuevo el {next_attempt}. Para mayor seguridad, renueve el consentimiento antes del {until}; hacerlo nunca perjudica.',
    },
  },
  ROTATION_LOST: {
    who: 'account_owner',
    en: {
      title: 'Access lost during renewal',
      reason:
        'The answer with the replaced access never reached us, and {app} no longer accepts the old one. The cause is on our side or on the network, not yours.',
      effect: '{fallback}',
      next: 'Renew consent with the same {app} account. Support already has the record {evidence}.',
    },
    es: {
      title: 'Acceso perdido durante la renovación',
      reason:
        'La respuesta con el acceso sustituido no nos llegó y {app} ya no acepta el anterior. La causa está en nuestro lado o en la red, no en el suyo.',
      effect: '{fallback}',
      next: 'Renueve el consentimiento con la misma cuenta de {app}. El soporte ya tiene el registro {evidence}.',
    },
  },
  REVOKED_HERE: {
    who: 'administrator',
    en: {
      title: 'Revoked here',
      reason: 'The connection was revoked on {since}. {by} revoked it.',
      effect: '{fallback} What was done at {app}: {steps}. Data already received and the history stay.',
      next: 'Anyone under "Who can reconnect" can connect again; the connection keeps its id.',
    },
    es: {
      title: 'Revocada aquí',
      reason: 'La conexión se revocó el {since}. La revocó {by}.',
      effect: '{fallback} Lo que se hizo en {app}: {steps}. Los datos ya recibidos y el historial se conservan.',
      next: 'Cualquiera de la lista «Quién puede reconectar» puede volver a conectar; la conexión mantiene su identificador.',
    },
  },
  OAUTH_CLIENT_UNUSABLE: {
    who: 'administrator',
    en: {
      title: 'OAuth client or component removed',
      reason: 'The OAuth client "{client}", or the component it was made for, no longer exists in this tenant.',
      effect: '{fallback}',
      next: 'Install the component again or choose another OAuth client for the integration. Consent must then be given anew.',
    },
    es: {
      title: 'Cliente OAuth o componente eliminado',
      reason: 'El cliente OAuth «{client}», o el componente para el que se creó, ya no existe en este tenant.',
      effect: '{fallback}',
      next: 'Vuelva a instalar el componente o elija otro cliente OAuth para la integración. Después habrá que dar de nuevo el consentimiento.',
    },
  },
  INTEGRATION_DELETED: {
    who: 'administrator',
    en: {
      title: 'Integration deleted',
      reason: 'The integration of this connection was deleted on {since}. {by} deleted it.',
      effect: 'Its access was revoked, and no flow includes it. Data already received and the history stay.',
      next: 'This connection cannot be connected again. Save a new integration and connect through that one.',
    },
    es: {
      title: 'Integración eliminada',
      reason: 'La integración de esta conexión se eliminó el {since}. La eliminó {by}.',
      effect: 'Se revocó su acceso y ningún flujo la incluye. Los datos ya recibidos y el historial se conservan.',
      next: 'Esta conexión no puede volver a conectarse. Guarde una integración nueva y conecte a través de ella.',
    },
  },
  ENDPOINT_BLOCKED: {
    who: 'administrator',
    en: {
      title: 'Address not allowed',
      reason: 'The address configured for {app} is not allowed here, or was changed after the secret was entered.',
      effect: 'We sent nothing to it. {fallback}',
      next: 'An administrator checks the addresses of the integration and, if they are right, enters the client secret again.',
    },
    es: {
      title: 'Dirección no permitida',
      reason:
        'La dirección configurada para {app} no está permitida aquí o se cambió después de introducir el secreto.',
      effect: 'No le enviamos nada. {fallback}',
      next: 'Un administrador revisa las direcciones de la integración y, si son correctas, vuelve a introducir el secreto de cliente.',
    },
  },
  // the integration has another client id, or its token endpoint another origin, than when access was granted
  CONSENT_OUTDATED: {
    who: 'account_owner',
    en: {
      title: 'Consent belongs to earlier settings',
      reason:
        'Access was granted to another client ID, or at another address, than this integration has now for {app}. It is sent neither to the new address nor for the new client ID.',
      effect: 'Access that is still valid keeps working until {until}; it is not renewed. {fallback}',
      next: 'Give consent once more: entering the client secret again does not help. If the change was a mistake, an administrator sets the earlier client ID and address again, and the connection recovers by itself.',
    },
    es: {
      title: 'El consentimiento es de ajustes anteriores',
      reason:
        'El acceso se concedió a otro ID de cliente, o en otra dirección, que los que esta integración tiene ahora para {app}. No se envía ni a la dirección nueva ni con el ID de cliente nuevo.',
      effect: 'El acceso aún válido sigue funcionando hasta el {until}; no se renueva. {fallback}',
      next: 'Dé su consentimiento otra vez: volver a introducir el secreto de cliente no ayuda. Si el cambio fue un error, un administrador restablece el ID de cliente y la dirección anteriores y la conexión se recupera sola.',
    },
  },
  // three new tokens in a row refused by the API
  API_REFUSES_FRESH_TOKENS: {
    who: 'administrator',
    en: {
      title: '{app} refuses new access',
      reason: '{app} keeps renewing our access, but its API refuses every new one.',
      effect: 'Calls fail although the authorization is intact. {fallback}',
      next: 'Check in {app} whether the account, its plan or the API was restricted, and whether the API base address is right. We have slowed down and try again at {next_attempt}.',
    },
    es: {
      title: '{app} rechaza el acceso nuevo',
      reason: '{app} sigue renovando nuestro acceso, pero su API rechaza cada uno de los nuevos.',
      effect: 'Las llamadas fallan aunque la autorización está intacta. {fallback}',
      next: 'Compruebe en {app} si se restringió la cuenta, su plan o la API, y si la dirección base de la API es correcta. Hemos reducido el ritmo y volveremos a intentarlo el {next_attempt}.',
    },
  },
  // invalid_scope, invalid_target
  SCOPE_REJECTED: {
    who: 'administrator',
    en: {
      title: 'A requested permission does not exist',
      reason: '{app} does not know one of the permissions this integration asks for: {missing}.',
      effect:
        'This integration cannot get or renew access. Other integrations with the same OAuth client are not affected.',
      next: 'An administrator corrects the permissions (scope) of the integration. The connection then recovers by itself.',
    },
    es: {
      title: 'Un permiso solicitado no existe',
      reason: '{app} no conoce alguno de los permisos que pide esta integración: {missing}.',
      effect:
        'Esta integración no puede obtener ni renovar el acceso. Otras integraciones con el mismo cliente OAuth no se ven afectadas.',
      next: 'Un administrador corrige los permisos (scope) de la integración. Después la conexión se recupera sola.',
    },
  },
  // vault down; an answer may be kept sealed
  STORAGE_UNREACHABLE: {
    who: 'operator',
    en: {
      title: 'Secure storage does not answer',
      reason: 'Our secure storage for credentials has not answered since {since}.',
      effect:
        'Access that is still valid keeps working until {until}. Nothing is lost: an answer already received is kept sealed.',
      next: 'The operator restores the storage. Everything continues by itself; next attempt at {next_attempt}.',
    },
    es: {
      title: 'El almacén seguro no responde',
      reason: 'Nuestro almacén seguro de credenciales no responde desde el {since}.',
      effect:
        'El acceso aún válido sigue funcionando hasta el {until}. No se pierde nada: una respuesta ya recibida se conserva sellada.',
      next: 'El operador restablece el almacén. Todo continúa solo; próximo intento el {next_attempt}.',
    },
  },
  // the vault was restored from a backup; quarantined until released
  RESTORED_FROM_BACKUP: {
    who: 'operator',
    en: {
      title: 'Restored from a backup, not renewed for now',
      reason:
        'Our storage for credentials was restored from a backup. What it holds for {app} may have been used since, and using it twice could end the access.',
      effect: 'Access that is still valid keeps working until {until}. It is not renewed. {fallback}',
      next: 'The operator releases the connection when nothing was renewed after the backup. Otherwise {owner} gives consent once more. Renewed consent always ends this.',
    },
    es: {
      title: 'Restaurada de una copia de seguridad, sin renovar por ahora',
      reason:
        'Nuestro almacén de credenciales se restauró de una copia de seguridad. Lo que guarda para {app} puede haberse usado desde entonces, y usarlo dos veces podría terminar el acceso.',
      effect: 'El acceso aún válido sigue funcionando hasta el {until}. No se renueva. {fallback}',
      next: 'El operador libera la conexión si nada se renovó después de la copia. De lo contrario, {owner} da su consentimiento otra vez. Renovar el consentimiento siempre pone fin a esto.',
    },
  },
  // a pasted refresh token was sent, the answer was lost
  SAVE_OUTCOME_UNKNOWN: {
    who: 'administrator',
    en: {
      title: 'We cannot tell whether saving worked',
      reason: '{app} received the refresh token you entered, but its answer was lost. It may have been used up.',
      effect: 'Nothing was stored.',
      next: 'Get a new refresh token in {app} and save again; do not reuse the one you entered.',
    },
    es: {
      title: 'No sabemos si se guardó',
      reason:
        '{app} recibió el token de actualización que introdujo, pero su respuesta se perdió. Puede que ya esté consumido.',
      effect: 'No se guardó nada.',
      next: 'Obtenga un nuevo token de actualización en {app} y vuelva a guardar; no reutilice el que introdujo.',
    },
  },
  // a write without idempotency key, answer lost
  REQUEST_OUTCOME_UNKNOWN: {
    who: 'flow_author',
    en: {
      title: 'We cannot tell whether the call took effect',
      reason: '{app} received a changing call from a flow, but its answer was lost.',
      effect: 'The call was not repeated, because repeating it could do it twice.',
      next: 'Check in {app} whether it happened. Give such calls an idempotency key, and they are repeated safely.',
    },
    es: {
      title: 'No sabemos si la llamada tuvo efecto',
      reason: '{app} recibió de un flujo una llamada que modifica datos, pero su respuesta se perdió.',
      effect: 'La llamada no se repitió, porque podría ejecutarse dos veces.',
      next: 'Compruebe en {app} si se realizó. Dé a estas llamadas una clave de idempotencia y se repetirán con seguridad.',
    },
  },
} as const satisfies Partial<Record<ErrorCode, Reason>>;

export type ReasonCode = keyof typeof REASONS;

export function isReasonCode(code: string): code is ReasonCode {
  return Object.hasOwn(REASONS, code);
}

/** Shown for a code without a row of its own: the defect is ours, and the code is never shown alone. */
export const OTHER_REASON: Reason = {
  who: 'operator',
  en: {
    title: 'Something failed on our side',
    reason: 'A step of ours failed while renewing the access to {app}.',
    effect: 'Access that is still valid keeps working until {until}.',
    next: 'The operator looks into it. We try again at {next_attempt}. If it stays, give support {evidence}.',
  },
  es: {
    title: 'Algo falló en nuestro lado',
    reason: 'Falló un paso nuestro al renovar el acceso a {app}.',
    effect: 'El acceso aún válido sigue funcionando hasta el {until}.',
    next: 'El operador lo revisa. Volveremos a intentarlo el {next_attempt}. Si continúa, indique {evidence} al soporte.',
  },
};

/** What flows do while their connection does not work: the sentence behind {fallback}. */
export const FALLBACKS: Both<Readonly<Record<Fallback, string>>> = {
  en: {
    pause: 'Flows that use it wait and continue at the very step where they stopped.',
    skip: 'Flows that use it skip this step and note it in their history.',
    fail: 'Flows that use it stop with an error.',
  },
  es: {
    pause: 'Los flujos que la usan esperan y continuarán en el mismo paso en que se detuvieron.',
    skip: 'Los flujos que la usan omiten este paso y lo anotan en su historial.',
    fail: 'Los flujos que la usan se detienen con un error.',
  },
};

/** What to do when an authorization server gave no refresh token, by preset: the sentences behind {remedy}. */
export const REMEDIES: Readonly<Record<string, Both<string>>> & { readonly default: Both<string> } = {
  default: {
    en: "Remove this application's access in your {app} account settings, then connect again and accept all permissions.",
    es: 'Retire el acceso de esta aplicación en la configuración de su cuenta de {app}; después vuelva a conectar y acepte todos los permisos.',
  },
  google: {
    en: 'Open myaccount.google.com/connections, remove this application, then connect again. In testing mode Google ends every authorization after 7 days: publish the application to avoid it.',
    es: 'Abra myaccount.google.com/connections, quite esta aplicación y vuelva a conectar. En modo de prueba, Google termina cada autorización a los 7 días: publique la aplicación para evitarlo.',
  },
  microsoft: {
    en: 'Add offline_access to the permissions of the integration, save, then connect again.',
    es: 'Añada offline_access a los permisos de la integración, guarde y vuelva a conectar.',
  },
};
