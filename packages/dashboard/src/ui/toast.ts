/** Says how an action ended. The region that shows it is loaded with the first one. */
export interface Notice {
  tone: 'good' | 'bad'
  text: string
  /** What to do next, or more about it. */
  more?: string
  action?: { label: string; onPress: () => void }
}

type Show = (notice: Notice) => void
let show: Show | null = null
let waiting: Notice[] = []
let wanted: (() => void) | null = null

/** The region tells that it is there (null: gone). */
export function connectToasts(ready: Show | null): void {
  show = ready
  if (!ready) return
  for (const notice of waiting) ready(notice)
  waiting = []
}
/** Called when the first notice comes and the region is not loaded. */
export function onToastWanted(callback: () => void): void {
  wanted = callback
}

export function toast(notice: Notice): void {
  if (show) show(notice)
  else {
    waiting.push(notice)
    wanted?.()
  }
}
