/** Door `durable-oauth/testing`: fakes and suites for your own tests. */
export { canaryForms, findCanaries } from './canary';
export { fakeConnection } from './fake-connection';
export { startScriptedProvider } from './scripted-provider';
export type { LedgerEntry, ScriptedAnswer, ScriptedProvider, ScriptedProviderOptions } from './scripted-provider';
export { createMemoryVault } from '../vault/memory';
export { vaultConformance } from '../vault/conformance';
