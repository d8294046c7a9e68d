/** What instances use at this moment, and what is said where that is not known. */
export const useTitle = 'What it uses now'
export const useMemory = 'Memory'
export const useCpu = 'Processors'
export const useOf = (now: string, most: string) => `${now} of ${most}`
export const useBegan = 'Began'
export const useMeasured = 'Measured'
export const useBetween = (least: string, most: string) => `In the last minutes between ${least} and ${most}`
export const useIdle = 'It has not begun, or has just ended.'
export const useOffline = 'What it uses is not known while its machine is not connected.'
export const useOlder = 'What it uses is not known: its machine has an older release, which cannot tell.'
export const useUnmeasured = (why: string) => `What it uses is not known. ${why}.`
export const useSilent = 'What it uses is not known: it was not measured.'
export const useUnasked = 'Kalnet did not answer. It is asked again in a moment.'
