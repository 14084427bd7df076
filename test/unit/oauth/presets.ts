import { presetSchema, type Preset, type PresetInput } from '../../../src/providers/preset';

/** A preset of which only what matters is said. */
export const preset = (change: Partial<PresetInput> = {}): Preset =>
  presetSchema.parse({ name: 'test', title: 'Test', ...change });
