/** Sleeping and waking: what is kept, what is not, and what comes when nobody is there. */
export const stateHibernating = 'Falling asleep'
export const stateHibernated = 'Sleeping'
export const stateWaking = 'Waking up'
export const putToSleep = 'Put to sleep'
export const wakeUp = 'Wake up'
export const deleteForGood = 'Delete'
export const sleeping = 'Sleeping.'
export const sleepTitle = (name: string) => `Put ${name} to sleep?`
export const sleepText =
  'Its files are kept. Its open programs close: save what you are working on first. You can wake it up at any time.'
export const stopKeepsNothing = 'To keep its files, put it to sleep instead.'
export const keptOn = (amount: string, where: string) => `${amount} of files are kept on ${where}.`
export const keptReserved = (amount: string, where: string) =>
  `Its files are kept on ${where}: ${amount} is set aside for them, and how much of it they take is not known.`
export const keptUnmeasured = (where: string) =>
  `Its files are kept on ${where}. How large they are is not known yet.`
export const keptUnknown = (where: string) =>
  `Its files are kept on ${where}. How large they are is not known.`
export const keptFiles = 'Files kept'
export const keptPlace = 'Kept in'
export const keptUpTo = (amount: string) => `Up to ${amount}; how much is not known`
export const keptNotYet = 'Not known yet'
export const keptNotKnown = 'Not known'
export const deleteTitle = (name: string) => `Delete ${name} and its files?`
export const deleteText = 'They are deleted for good.'
export const keptThere = (many: number, amounts: string) =>
  `Keeps the files of ${many} ${many === 1 ? 'session that does' : 'sessions that do'} not run: ${amounts}`
export const keptSetAside = (amount: string) => `${amount} set aside`
export const keptOfUnknown = (many: number) => `${many} of unknown size`
export const asleep = (name: string) => `${name} is falling asleep. Its files are kept.`
export const wakingUp = (name: string) => `${name} is waking up.`
export const deleted = (name: string) => `${name} and its files are deleted.`
export const fallingAsleepTitle = (name: string) => `${name} is falling asleep`
export const sleepingTitle = (name: string) => `${name} is sleeping`
export const sleepingText = 'Its files are kept. Its programs start anew when it wakes up, in a few seconds.'
export const wakingTitle = (name: string) => `Waking up ${name}`
export const idleTitle = 'Are you still there?'
const within = (seconds: number) =>
  seconds > 90 ? 'in 2 minutes' : seconds > 45 ? 'in a minute' : seconds > 0 ? `in ${seconds} seconds` : 'now'
export const idleSleep = (seconds: number) =>
  `Nobody has used this for a while. It goes to sleep ${within(seconds)}: its files are kept, its open programs close.`
export const idleStop = (seconds: number) =>
  `Nobody has used this for a while. It stops ${within(seconds)}, and files kept only inside it are lost.`
export const keepAwake = 'Keep it open'
