/** Labels and help of the form's fields, and what each grant type is for. Data only. */
import type { Both } from '../../connection/reasons';
import type { GrantType } from '../../connection/types';
import type { FieldName } from './form';

interface Text {
  readonly label: string;
  readonly help: string;
}

export const FIELD_TEXTS: Both<Readonly<Record<FieldName, Text>>> = {
  en: {
    label: { label: 'Label', help: 'A friendly name, for example "Salesforce Production Integration".' },
    grant_type: { label: 'Grant Type', help: 'How access is obtained.' },
    token_url: { label: 'Token URL', help: 'Where tokens are requested at the provider. An absolute https address.' },
    client_id: { label: 'Client ID', help: 'The public identifier the provider gave your app.' },
    client_secret: {
      label: 'Client Secret',
      help: 'The secret key the provider gave your app. It is kept in the vault and never shown again.',
    },
    scope: {
      label: 'Scope',
      help: 'The permissions to ask for, separated by spaces or commas. Example: read, write, api_access.',
    },
    api_base_url: {
      label: 'API Base URL',
      help: 'The main address of the API. Access tokens are sent to this address only.',
    },
    tenant_id: {
      label: 'Tenant ID (your customer reference)',
      help: 'Optional: names one of your customers. It is not the directory (tenant) ID of Microsoft.',
    },
    authorization_url: {
      label: 'Authorization URL',
      help: 'Where a person signs in at the provider and grants access.',
    },
    redirect_uri: {
      label: 'Redirect URI',
      help: 'Register exactly this address at the provider. It is fixed as soon as the integration has an id.',
    },
    refresh_token: {
      label: 'Refresh Token',
      help: 'From an authorization that was granted before. It is kept in the vault and never shown again.',
    },
  },
  es: {
    label: { label: 'Etiqueta', help: 'Un nombre fácil de reconocer, por ejemplo «Salesforce Producción».' },
    grant_type: { label: 'Tipo de concesión', help: 'Cómo se obtiene el acceso.' },
    token_url: {
      label: 'URL de token',
      help: 'Dónde se solicitan los tokens al proveedor. Una dirección https absoluta.',
    },
    client_id: { label: 'ID de cliente', help: 'El identificador público que el proveedor dio a su aplicación.' },
    client_secret: {
      label: 'Secreto de cliente',
      help: 'La clave secreta que el proveedor dio a su aplicación. Se guarda en la bóveda y no vuelve a mostrarse.',
    },
    scope: {
      label: 'Permisos (scope)',
      help: 'Los permisos que se pedirán, separados por espacios o comas. Ejemplo: read, write, api_access.',
    },
    api_base_url: {
      label: 'URL base de la API',
      help: 'La dirección principal de la API. Los tokens de acceso solo se envían a esta dirección.',
    },
    tenant_id: {
      label: 'Tenant ID (su referencia de cliente)',
      help: 'Opcional: identifica a uno de sus clientes. No es el ID de directorio (tenant) de Microsoft.',
    },
    authorization_url: {
      label: 'URL de autorización',
      help: 'Dónde una persona inicia sesión en el proveedor y concede el acceso.',
    },
    redirect_uri: {
      label: 'URI de redirección',
      help: 'Registre exactamente esta dirección en el proveedor. Queda fija en cuanto la integración tiene un id.',
    },
    refresh_token: {
      label: 'Token de actualización',
      help: 'De una autorización concedida antes. Se guarda en la bóveda y no vuelve a mostrarse.',
    },
  },
};

export const GRANT_TYPE_TEXTS: Both<Readonly<Record<GrantType, Text>>> = {
  en: {
    authorization_code: {
      label: 'Authorization Code',
      help: 'A person signs in at the provider and grants access. The usual choice.',
    },
    client_credentials: {
      label: 'Client Credentials',
      help: 'Server to server (M2M): nobody has to sign in.',
    },
    refresh_token: {
      label: 'Refresh Token',
      help: 'You already have a refresh token from an authorization that was granted before.',
    },
  },
  es: {
    authorization_code: {
      label: 'Código de autorización',
      help: 'Una persona inicia sesión en el proveedor y concede el acceso. La opción habitual.',
    },
    client_credentials: {
      label: 'Credenciales de cliente',
      help: 'De servidor a servidor (M2M): nadie tiene que iniciar sesión.',
    },
    refresh_token: {
      label: 'Token de actualización',
      help: 'Ya dispone de un token de actualización de una autorización concedida antes.',
    },
  },
};
