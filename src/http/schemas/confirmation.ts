/** A confirmation: an application says that the consent its user's browser came back from is that user's. */
import { z } from 'zod';
import { endUserId } from './consent-link';
import { id, input, printable, resource } from './document';

export const createConfirmation = input(
  'confirmation',
  z.strictObject({
    consent: id.describe('Query parameter `consent` of the return'),
    confirmation_code: printable(z.string().min(1).max(256)).describe('Query parameter of the same name'),
    end_user_id: endUserId.optional(),
  }),
);

export const confirmationDocument = z.object({
  data: resource(
    'confirmation',
    z.object({
      stage: z.enum(['handing_over', 'connected']),
      app: z.string(),
      account: z.string().nullable().describe('Label of the account; null when the provider does not say'),
      same_account: z
        .enum(['same', 'first', 'unverifiable'])
        .describe('Whether it is known to be the account connected before'),
      scope: z.string(),
    }),
  ),
});
