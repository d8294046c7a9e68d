/** Data: words of the page of a session, and what is asked before it stops. */
export const details = 'Details'
export const unreachableText = (controller: string) =>
  `${controller} is not connected. The session may well be running on; it comes back with it.`
export const stages = 'Stages of the start'
export const stagesTotal = (time: string) => `${time} from the click to the first picture`
export const restart = 'Restart'
export const stopTitle = (name: string) => `Stop ${name}?`
export const stopText = 'Everything open in it closes, and files kept only inside it are lost.'
export const restartTitle = (name: string) => `Restart ${name}?`
export const restartText =
  'It starts afresh: everything open in it closes, and files kept only inside it are lost.'
export const sessionGone = 'This session cannot be shown'
export const sessionWhere = 'Where'
export const sessionPlatform = 'Platform'
export const sessionTemplate = 'Template'
export const sessionOwner = 'Whose'
export const sessionStarted = 'Started'
export const sessionEnded = 'Ended'
export const sessionGeneration = 'Started afresh'
export const times = (many: number) => (many === 0 ? 'never' : many === 1 ? 'once' : `${many} times`)
export const logs = 'What its programs printed'
export const openScreen = 'Open screen'
export const notYet = 'not yet'
