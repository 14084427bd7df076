/** Who may confirm a consent: its own browser in mode `link`, else the application that the browser was sent on to. */
import type { ConfirmConsent, ConsentConfirmation, ConsentInput } from '../src/connection/messages';

/** Whether a message confirms this consent. Of an application the code counts here; a wrong confirmer ends the attempt. */
export function isConfirmation(input: ConsentInput, message: unknown): message is ConfirmConsent {
  if (typeof message !== 'object' || message === null) return false;
  const said = message as Partial<Record<keyof ConsentConfirmation | 'browser', unknown>>;
  if (input.mode === 'link') return said.browser === input.browser;
  const isThis = said.ref === input.ref && said.consent === input.consent && typeof said.confirmer === 'string';
  return isThis && input.confirmation !== undefined && said.confirmation === input.confirmation;
}

/** Who confirms is of another kind than the link was made for: an error of the application's, which decides nothing. */
export const isOfAnotherMode = (input: ConsentInput, message: ConfirmConsent): boolean =>
  'mode' in message && message.mode !== undefined && message.mode !== input.mode;

/** Whether somebody confirms whom the link was not made for. */
export const isByAnother = (input: ConsentInput, message: ConfirmConsent): boolean =>
  'confirmer' in message && message.confirmer !== input.confirmer;

export const isSameConfirmer = (one: ConfirmConsent, other: ConfirmConsent): boolean =>
  confirmerIn(one) === confirmerIn(other);

const confirmerIn = (message: ConfirmConsent): string | undefined =>
  'confirmer' in message ? message.confirmer : undefined;
