/** A principal: a person, or a service account. The e-mail address is its name, and the user of HTTP Basic. */
import { z } from 'zod';
import { input, list, page, resource, text, time } from './document';

const kind = z.enum(['user', 'service_account']);
/** No colon: it ends the user of HTTP Basic (RFC 7617 section 2). */
const email = text(254).regex(/^[^\s:@]+@[^\s:@]+$/, 'Must be an e-mail address');

export const createPrincipal = input('principal', z.strictObject({ email, kind: kind.default('user') }));
export const changePrincipal = input('principal', z.strictObject({ email }));

export const principal = resource('principal', z.object({ email: z.string(), kind, created_at: time }));
export const principalDocument = z.object({ data: principal });
export const principalList = list(principal);
export const principalQuery = z.strictObject(page);
