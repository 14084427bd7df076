import { runBuilt } from './run-built.mjs';

await runBuilt('bench/chaos/main.js');
