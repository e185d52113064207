// Profiles of operators for the journeys: quick timers, everything else as given.
import { writeFileSync } from 'node:fs';

// modes: the binds; link: keys of each; everything else are keys of the profile (config/operators/*.yaml).
export function operator(stage, { port, systemId = 'kezek', password = 'secret', modes = ['transceiver'], prefixes = ['77'],
  link = {}, ...rest }) {
  const file = stage.path(`password-${systemId}-${port}`);
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return {
    prefixes, ...rest,
    reconnect: { min: '50ms', max: '500ms', already_bound: '200ms', ...rest.reconnect },
    links: modes.map((bind) => ({
      host: '127.0.0.1', port, bind, system_id: systemId, password_file: file, window: 50, rate: 1000, ...link,
    })),
  };
}
