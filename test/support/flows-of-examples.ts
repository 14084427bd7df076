/** All flows of the tests and of the examples, in one bundle. */
export * from './flows';
export * from '../../examples/order-sync/workflows';
