/** Data: words of the machines that run things: the cards, their menu, adding one. */
import { count } from './count.ts'

export const settingsControllers = 'Controllers'
export const controllersText =
  'The machines that run things for you. Each one dials out to Kalnet; none needs an open port.'
export const controllersEmpty = 'No machine is enrolled'
export const controllersEmptyText =
  'A controller is our program on a machine that runs sessions. Add this machine or another one.'
export const controllerAdd = 'Add a machine'
export const controllerName = 'Name of the machine'
export const controllerNameExample = 'Living room box'
export const controllerMake = 'Make the command'
export const controllerCommand = 'Run this on the machine'
export const controllerCommandText =
  'It works once and for one hour. The machine appears in the list as soon as it has connected.'
export const controllerOnline = 'Connected'
export const controllerOffline = 'Not connected'
export const controllerNever = 'Never connected'
export const controllerSeen = 'Last seen'
export const controllerRuns = (many: number) =>
  many === 0 ? 'Runs nothing now' : `Runs ${count(many, 'instance', 'instances')}`
export const controllerMemory = 'Memory in use'
export const controllerMemoryUse = (used: string, total: string) => `${used} of ${total}`
export const controllerCpus = (many: number) => count(many, 'processor', 'processors')
export const controllerDisk = (free: string) => `${free} of disk free`
export const controllerLoad = (load: string) => `load ${load}`
export const controllerMenu = (name: string) => `Actions for ${name}`
export const controllerInstallation =
  'It belongs to this installation. Manage it on the machine, with ./kalnet controllers.'
export const controllerCordoned = 'Takes nothing new'
export const controllerCordon = 'Take nothing new'
export const controllerUncordon = 'Take new sessions again'
export const controllerCordonDone = (name: string) => `${name} takes nothing new. What runs there runs on.`
export const controllerUncordonDone = (name: string) => `${name} takes new sessions again.`
export const controllerDrain = 'Empty it…'
export const controllerDrainTitle = (name: string) => `Empty ${name}?`
export const controllerDrainText = (many: number) => {
  const closed = 'It takes nothing new until you let it.'
  if (many === 0) return `Nothing runs there now. ${closed}`
  if (many === 1) return `One session ends, and what is not saved in it is lost. ${closed}`
  return `${many} sessions end, and what is not saved in them is lost. ${closed}`
}
export const controllerDrainAction = 'Empty it'
export const controllerDrained = (name: string, many: number) =>
  many === 0
    ? `${name} is empty.`
    : `${name} is being emptied: ${count(many, 'session ends', 'sessions end')}.`
export const controllerLabels = 'Labels'
export const controllerLabelsEdit = 'Labels…'
export const controllerLabelsOf = (name: string) => `Labels of ${name}`
export const controllerLabelsHelp =
  'One a line, such as room=attic. A start can ask for machines that carry certain labels.'
export const controllerLabelsSaved = (name: string) => `The labels of ${name} are saved.`
export const controllerLabelsExample = 'room=attic'
export const labelShape = (line: string) => `“${line}” is not a label: write name=value.`
export const labelName = (name: string) =>
  `“${name}”: use lower-case letters, digits and dashes for the name.`
export const labelValue = (value: string) =>
  `“${value}”: use up to 63 letters, digits, dots and dashes for the value.`
export const labelsTooMany = (most: number) => `More than ${most} labels.`
export const controllerRevoke = 'Revoke'
export const controllerRevokeTitle = (name: string) => `Revoke ${name}?`
export const controllerRevokeText = (many: number) =>
  many === 0
    ? 'Its key stops working at once. To use the machine again, enrol it with a new command.'
    : `Its key stops working at once, and ${count(many, 'instance', 'instances')} on it can no longer be reached. To use the machine again, enrol it with a new command.`
export const controllerRevoked = (name: string) => `${name} is revoked.`
export const isolationUid = 'A user of its own for each session'
export const isolationUserns = 'Isolated in a user namespace'
export const isolationContainer = 'Isolated in containers'
export const isolationNone = 'No isolation: not used'
export const platformUsable = 'Ready'
export const platformUnusable = 'Not usable'
export const hasLimits = 'Limits enforced'
export const hasNoLimits = 'No limits here'
export const hasNetwork = 'Filtered network'
export const hasNoNetwork = 'No network'
export const imagesBuilt = (many: number) => `${count(many, 'image', 'images')} built`
