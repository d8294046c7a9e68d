/** The whole page in full screen, so that bar and dialogs come along; keys of the system too where the browser lends them. */
import { useEffect, useState } from 'react'

/** Chromium only: https://wicg.github.io/keyboard-lock/ */
interface LendsKeys {
  keyboard?: { lock?: (codes?: string[]) => Promise<void>; unlock?: () => void }
}

export function useFullScreen() {
  const [full, setFull] = useState(document.fullscreenElement !== null)
  useEffect(() => {
    const look = () => setFull(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', look)
    return () => document.removeEventListener('fullscreenchange', look)
  }, [])
  const change = async () => {
    const keys = (navigator as LendsKeys).keyboard
    try {
      if (document.fullscreenElement) {
        keys?.unlock?.()
        await document.exitFullscreen()
      } else {
        await document.documentElement.requestFullscreen()
        await keys?.lock?.()
      }
    } catch {
      // Refused by the browser (an iPhone has none): the page simply stays as it is.
      setFull(document.fullscreenElement !== null)
    }
  }
  return [full, () => void change()] as const
}
