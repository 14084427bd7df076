/** Texts of the pages, in every language. Filled by `fill`: a sentence whose placeholder is unknown is left out. */
import type { Both } from '../../connection/reasons';

const en = {
  startTitle: 'Connect to {app}',
  startLead: '{requester} asks you to connect an account at {app} to “{tenant}” on {brand}.',
  startPassword: 'You sign in at {app} itself. {brand} never sees your password.',
  startButton: 'Continue to {app}',
  permissions: 'Permissions',
  permissionsLead: '{app} will be asked for these permissions:',
  noPermissions: 'No particular permission is asked for.',
  linkExpires: 'This link works until {until}.',
  uriLabel: 'Redirect URI to register',
  uriHint: 'For administrators: if {app} shows an error about the redirect URI, register exactly this one there.',
  confirmTitle: 'Connect this account?',
  confirmQuestion: 'Connect account {account} at {app} to “{tenant}”?',
  confirmUnknown: 'Connect the account you signed in with at {app} to “{tenant}”?',
  confirmUnverifiable:
    '{app} did not tell us which account this is, so we cannot compare it with the account connected before. Go on only if it is the same.',
  confirmButton: 'Connect',
  confirmDecline: 'If this is not what you want, close this page. The new access is then discarded within 10 minutes.',
  waitTitle: 'One moment, please',
  waitText: 'We are completing the connection to {app}. This page reloads by itself.',
  connectedTitle: 'Connected',
  connectedText: 'Account {account} at {app} is now connected to “{tenant}”.',
  connectedUnknown: '{app} is now connected to “{tenant}”.',
  back: 'Go back to where you were',
  close: 'You can close this page.',
  neutralTitle: 'This page cannot go on',
  neutralReason: 'The address is unknown, was used before, or belongs to another browser.',
  linkTitle: 'This link does not work',
  linkReason: 'The link is unknown, was used up, or has run out.',
  unchanged: 'Nothing was changed.',
  openAgain: 'Open the consent link again in this browser, or ask the person who sent it for a new one.',
  busyTitle: 'This does not work at the moment',
  busyReason: 'A part of {brand} does not answer.',
  busyNext: 'Reload this page in a few minutes: doing so twice does no harm. If it stays, give support {evidence}.',
};

const es: typeof en = {
  startTitle: 'Conectar con {app}',
  startLead: '{requester} le pide que conecte una cuenta de {app} con «{tenant}» en {brand}.',
  startPassword: 'Usted inicia sesión en el propio {app}. {brand} nunca ve su contraseña.',
  startButton: 'Continuar a {app}',
  permissions: 'Permisos',
  permissionsLead: 'Se pedirán estos permisos a {app}:',
  noPermissions: 'No se pide ningún permiso en particular.',
  linkExpires: 'Este enlace sirve hasta el {until}.',
  uriLabel: 'URI de redirección que debe registrarse',
  uriHint:
    'Para administradores: si {app} muestra un error sobre el URI de redirección, registre allí exactamente este.',
  confirmTitle: '¿Conectar esta cuenta?',
  confirmQuestion: '¿Conectar la cuenta {account} de {app} con «{tenant}»?',
  confirmUnknown: '¿Conectar la cuenta con la que inició sesión en {app} con «{tenant}»?',
  confirmUnverifiable:
    '{app} no nos dijo qué cuenta es, así que no podemos compararla con la cuenta conectada antes. Continúe solo si es la misma.',
  confirmButton: 'Conectar',
  confirmDecline: 'Si no es lo que desea, cierre esta página. El nuevo acceso se descarta entonces en 10 minutos.',
  waitTitle: 'Un momento, por favor',
  waitText: 'Estamos completando la conexión con {app}. Esta página se actualiza sola.',
  connectedTitle: 'Conectada',
  connectedText: 'La cuenta {account} de {app} está ahora conectada con «{tenant}».',
  connectedUnknown: '{app} está ahora conectado con «{tenant}».',
  back: 'Volver a donde estaba',
  close: 'Puede cerrar esta página.',
  neutralTitle: 'Esta página no puede continuar',
  neutralReason: 'La dirección es desconocida, ya se usó o pertenece a otro navegador.',
  linkTitle: 'Este enlace no funciona',
  linkReason: 'El enlace es desconocido, ya se agotó o venció.',
  unchanged: 'No se modificó nada.',
  openAgain: 'Abra de nuevo el enlace de consentimiento en este navegador o pida uno nuevo a quien se lo envió.',
  busyTitle: 'Esto no funciona en este momento',
  busyReason: 'Una parte de {brand} no responde.',
  busyNext:
    'Vuelva a cargar esta página en unos minutos: repetirlo no causa daño. Si continúa, indique {evidence} al soporte.',
};

export const TEXTS: Both<typeof en> = { en, es };
export type TextName = keyof typeof en;
