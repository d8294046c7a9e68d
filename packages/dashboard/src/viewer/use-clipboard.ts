/** Both clipboards the same, where the browser permits; the panel does it by hand where it does not. */
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import type { Screen } from './screen.ts'

/** May we read without asking? Browsers that know no such permission say no. */
async function mayRead(): Promise<boolean> {
  try {
    // Not in TypeScript's list of names: https://www.w3.org/TR/clipboard-apis/#clipboard-permissions
    const { state } = await navigator.permissions.query({ name: 'clipboard-read' as PermissionName })
    return state === 'granted'
  } catch {
    return false // Firefox and Safari throw for the name
  }
}

export function useClipboard(screen: RefObject<Screen | null>, live: boolean) {
  /** What the session's clipboard holds, as far as we know. */
  const [text, setText] = useState('')
  const [auto, setAuto] = useState(true)
  const [denied, setDenied] = useState(false)
  const shared = useRef('')

  const send = useCallback(
    (next: string) => {
      shared.current = next
      setText(next)
      screen.current?.paste(next)
    },
    [screen],
  )
  const take = useCallback(
    (next: string) => {
      shared.current = next
      setText(next)
      // Without the right to write it stays in the panel, one click away.
      if (auto) navigator.clipboard?.writeText(next).catch(() => undefined)
    },
    [auto],
  )

  useEffect(() => {
    if (!live || !auto) return
    const bring = async () => {
      if (!document.hasFocus() || !navigator.clipboard || !(await mayRead())) return
      const local = await navigator.clipboard.readText().catch(() => '')
      if (local && local !== shared.current) send(local)
    }
    void bring()
    window.addEventListener('focus', bring)
    return () => window.removeEventListener('focus', bring)
  }, [live, auto, send])

  /** Switching on is the moment to let the browser ask. */
  const switchAuto = async (on: boolean) => {
    setAuto(on)
    if (!on) return
    try {
      const local = await navigator.clipboard.readText()
      setDenied(false)
      if (local && local !== shared.current) send(local)
    } catch {
      setDenied(true)
      setAuto(false)
    }
  }
  return { text, send, take, auto, switchAuto, denied }
}
export type Clipboard = ReturnType<typeof useClipboard>
