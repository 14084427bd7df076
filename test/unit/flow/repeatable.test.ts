import { isRepeatable, mayFollowRefusal, METHODS, type Method } from '../../../src/connection/requests';

describe('which requests may be sent again', () => {
  it.each<[Method, boolean, boolean]>([
    ['GET', true, true],
    ['HEAD', true, true],
    ['PUT', false, true],
    ['DELETE', false, true],
    ['POST', false, false],
    ['PATCH', false, false],
  ])('%s without a key: after an unknown outcome %s, after a refused token %s', (method, unknown, refused) => {
    expect([isRepeatable({ method }), mayFollowRefusal({ method })]).toEqual([unknown, refused]);
  });

  it.each(METHODS)('%s under an idempotency key may always be', (method) => {
    const sending = { method, idempotencyKey: 'order-1' };
    expect([isRepeatable(sending), mayFollowRefusal(sending)]).toEqual([true, true]);
  });
});
