/** What AWS Secrets Manager answers instead of doing it: three states of an entry, and failures of the store. */
import { DurableOAuthError, type Coordinates } from '../errors';

/** An answer about the entry, which its caller decides on. */
export type Fault = 'missing' | 'exists' | 'gone';

class EntryFault extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault);
    this.fault = fault;
  }
}

export const awsFault = (error: unknown): Fault | undefined => (error instanceof EntryFault ? error.fault : undefined);

const FAULTS: Readonly<Record<string, Fault>> = {
  ResourceNotFoundException: 'missing',
  ResourceExistsException: 'exists',
};

/** Not mended by asking again at once; everything else about the store may be. */
const STEADY: Readonly<Record<string, string>> = {
  LimitExceededException: 'a quota of versions or secrets is full',
  AccessDeniedException: 'IAM does not allow it',
  UnrecognizedClientException: 'the credentials are not valid',
  ExpiredTokenException: 'the credentials have expired',
  CredentialsProviderError: 'there are no credentials',
  DecryptionFailure: 'the KMS key cannot be used',
  EncryptionFailure: 'the KMS key cannot be used',
};

const OURS = ['InvalidParameterException', 'ValidationException', 'MalformedPolicyDocumentException'];
const AGAIN_AFTER_MS = 200;

/**
 * Call AWS, once more after a failure that may pass. A put is repeated with its own version id, so that it is harmless.
 * @throws EntryFault (see `awsFault`), VAULT_UNAVAILABLE, INTERNAL; never an error of the SDK, which holds the request
 */
export async function onAws<T>(attempted: string, where: Coordinates, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof DurableOAuthError) throw error;
      const name = error instanceof Error ? error.name : '';
      const fault = FAULTS[name] ?? (isDeletion(name, error) ? 'gone' : undefined);
      if (fault) throw new EntryFault(fault);
      if (OURS.includes(name)) throw new DurableOAuthError('INTERNAL', attempted, { ...where, reason: name });
      const steady = STEADY[name];
      if (attempt === 1 && steady === undefined) {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS * (0.5 + Math.random())));
        continue;
      }
      const reason = /^[A-Za-z]{1,60}$/.test(name) ? name : 'unknown';
      throw new DurableOAuthError('VAULT_UNAVAILABLE', steady ? `${attempted}: ${steady}` : attempted, {
        ...where,
        reason,
      });
    }
  }
}

/** One exception for every state that forbids a call; the words tell the deletion. */
function isDeletion(name: string, error: unknown): boolean {
  return name === 'InvalidRequestException' && error instanceof Error && /delet/i.test(error.message);
}
