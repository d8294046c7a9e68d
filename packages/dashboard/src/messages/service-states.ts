/** Data: words of services that Home says too: how they are, and how their instances and releases are. */
export const servicesHome = 'Your services'
export const serviceOpenNamed = (title: string) => `Open ${title} in a new tab`
export const serviceUnhealthy = 'Needs a look'
export const serviceUpdating = 'Updating'
export const serviceHealthy = 'Well'
export const serviceUnwell = 'Not well'
export const serviceGettingUp = 'Getting up'
export const serviceReplica = (part: string, number: number) =>
  number === 0 ? part : `${part} ${number + 1}`
export const serviceFinishing = 'Finishing'
export const releaseRolling = 'Starting'
export const releaseLive = 'In use'
export const releaseReplaced = 'Replaced'
export const releaseFailed = 'Never got well'
