/** What a person calls the thing in front of them, from what its browser says. For a first suggestion only. */
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'phone'],
  [/CrOS/, 'Chromebook'],
  [/Windows/, 'Windows PC'],
  [/Macintosh|Mac OS X/, 'Mac'],
  [/Linux|X11/, 'Linux PC'],
]
export const systemOf = (userAgent: string): string | null =>
  SYSTEMS.find(([sign]) => sign.test(userAgent))?.[1] ?? null
