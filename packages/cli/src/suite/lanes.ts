/**
 * Which parts of the test plan (vitest.config.ts) go side by side. Files of one lane go one after the other, for real programs share two cores
 * and one engine; lanes wait for different things. What two lanes use of one machine is somebody's own: folders, ports, networks, databases.
 */
const BESIDE: readonly (readonly string[])[] = [
  ['fast', 'pressed'],
  ['pages', 'whole'],
]

/** The first lane has all that the others have not, so that nothing is forgotten. */
export const LANES: readonly string[][] = [
  BESIDE.flat().flatMap((name) => ['--project', `!${name}`]),
  ...BESIDE.map((names) => names.flatMap((name) => ['--project', name])),
]
