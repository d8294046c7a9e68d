/** Data: the words of every page and of Home, in English: one export per message. What one page alone says stands in a file of its own, which comes with it. */
import { count } from './count.ts'

// Everywhere
export const product = 'Kalnet'
export const working = 'Working'
export const copy = 'Copy'
export const copied = 'Copied'
export const copyDetails = 'Copy details'
export const tryAgain = 'Try again'
export const close = 'Close'
export const cancel = 'Cancel'
export const save = 'Save'
export const showMore = 'Show older'
export const loading = 'Loading'
export const justNow = 'just now'
export const notices = 'Notices'
export const requestLabel = 'request'
export const logsEmpty = 'Nothing was printed.'
export const skipToContent = 'Skip to the content'

// Problems that do not come from the server's own table
export const problemUnreachable = 'Kalnet does not answer.'
export const problemUnreachableNext =
  'Check that the machine is on and that you are on its network. This page tries again by itself.'
export const problemStrange = (status: number) => `An unexpected answer came back (${status}).`
export const problemStrangeNext =
  'Something between you and Kalnet answered in its place. Try again in a moment.'
export const problemPage = 'This page could not be shown.'
export const problemPageNext = 'Try again; if it stays, reload the page.'
export const problemNotLoaded = 'This could not be loaded.'
export const problemNotLoadedNext = 'Check that you can reach Kalnet, then try again.'
export const problemNotProved = 'Nothing was changed.'
export const problemNotProvedNext = 'Confirm that it is you to go on.'
export const notFoundTitle = 'There is nothing here'
export const notFoundText = 'The address may be old, or what was here has been removed.'
export const goHome = 'Go to Home'

// Places
export const home = 'Home'
export const launch = 'Launch'
export const services = 'Services'
export const activity = 'Activity'
export const settings = 'Settings'
export const places = 'Places'
export const goOrStart = 'Go or start'
export const paletteChord = 'Ctrl K'

// Connection
export const offline = (age: string) => `Not connected. This is how things were ${age}.`
export const offlineNow = 'Not connected. Trying again…'

// Home
export const greeting = (hour: number, name: string) => {
  const word =
    hour < 5 ? 'Good night' : hour < 12 ? 'Good morning' : hour < 18 ? 'Good afternoon' : 'Good evening'
  return `${word}, ${name}`
}
export const homeRunning = (live: number) =>
  live === 0 ? 'Nothing is running right now.' : `${count(live, 'session', 'sessions')} running.`
export const running = 'Running'
export const runningOthers = 'Running for others'
export const recentlyEnded = 'Recently ended'
export const homeEmptyTitle = 'Your screen is a click away'
export const homeEmptyText =
  'Start a browser, a terminal or a whole desktop. It runs on your own machine and opens right here.'
export const homeEmptyAction = 'See what you can start'
export const startSomething = 'Start something'
export const startAgain = 'Start again'
export const startNew = 'New session'
export const removeFromList = 'Remove from the list'
export const removed = (name: string) => `${name} is off the list.`
export const undo = 'Undo'
export const belongsTo = (name: string) => `${name}’s`

// Session states
export const statePending = 'Waiting'
export const stateStarting = 'Starting'
export const stateRunning = 'Running'
export const stateStopping = 'Stopping'
export const stateStopped = 'Stopped'
export const stateFailed = 'Failed'
export const stateUnreachable = 'Not connected'
export const reasonNone = 'Stopped'

// Stages of a start
export const stageAccepted = 'Asked'
export const stagePlaced = 'Placed'
export const stageCreated = 'Created'
export const stageDisplay = 'Screen'
export const stageFirstByte = 'Connected'
export const stageFirstFrame = 'First picture'

// Launch
export const startNamed = (name: string) => `Start ${name}`
export const detailsOf = (name: string) => `Details of ${name}`

// Launch progress, on the way to the first picture
export const progressPlaced = 'Finding a place for it…'
export const progressStarting = 'Starting…'
export const progressScreen = 'Opening its screen…'

// Viewer
export const stop = 'Stop'
export const stopped = (name: string) => `${name} has stopped.`
export const restarted = (name: string) => `${name} is starting again.`
