/** Waiting, but not for ever. */

/** @returns undefined when the work takes longer; it goes on, and nobody is told how it ends */
export async function orLate<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

export const soon = (ms: number): Date => new Date(Date.now() + ms);
