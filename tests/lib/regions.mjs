// The sample's law with changes, so that a journey need not wait for the morning.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { top } from './stage.mjs';

// Without quiet hours: a notice goes when it is made. decline: keeps or annuls.
export function loudRegions(stage, { decline = 'keeps' } = {}) {
  const folder = stage.path('regions');
  mkdirSync(folder);
  const sample = readFileSync(join(top, 'config/regions/sample.yaml'), 'utf8');
  writeFileSync(join(folder, 'sample.yaml'),
    sample.replace(/^quiet: .*$/m, 'quiet: ""').replace('decline: keeps', `decline: ${decline}`));
  return folder;
}
