/** Ctrl + Alt + Shift leaves the screen: focus is never trapped in it. */
import { useEffect } from 'react'

const HELD = (event: KeyboardEvent) => event.ctrlKey && event.altKey && event.shiftKey

/** Calls back when the three have been held together and let go, so that no key stays down inside. */
export function useChord(onChord: () => void): void {
  useEffect(() => {
    let held = false
    const down = (event: KeyboardEvent) => {
      // Another key with them is that key's chord, not ours.
      held = HELD(event) && ['Control', 'Alt', 'Shift', 'Meta'].includes(event.key)
    }
    const up = (event: KeyboardEvent) => {
      if (!held || event.ctrlKey || event.altKey || event.shiftKey) return
      held = false
      // After the screen has seen this last key go up.
      setTimeout(onChord)
    }
    window.addEventListener('keydown', down, { capture: true })
    window.addEventListener('keyup', up, { capture: true })
    return () => {
      window.removeEventListener('keydown', down, { capture: true })
      window.removeEventListener('keyup', up, { capture: true })
    }
  }, [onChord])
}
