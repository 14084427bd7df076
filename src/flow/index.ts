/** Door `durable-oauth/workflow`: what a flow imports. Safe in the workflow sandbox. */
export { connection, whenConnected } from './connection';
export { path } from './path';
export type {
  ApiResponse,
  ConnectionApi,
  ConnectionOptions,
  Duration,
  ReadOptions,
  RequestOptions,
  WhenConsentNeeded,
  WriteOptions,
} from './types';
