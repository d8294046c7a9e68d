/** Modifiers held for the next key, for people without that key at hand. */
import { type RefObject, useCallback, useState } from 'react'
import { type Key, MODIFIERS, type Modifier } from './keys.ts'
import type { Screen } from './screen.ts'

export function useModifiers(screen: RefObject<Screen | null>) {
  const [held, setHeld] = useState<ReadonlySet<Modifier>>(new Set())
  const toggle = (id: Modifier) => {
    const key = MODIFIERS.find((it) => it.id === id)
    if (!key) return
    const down = !held.has(id)
    screen.current?.key(key, down)
    const next = new Set(held)
    if (down) next.add(id)
    else next.delete(id)
    setHeld(next)
  }
  const release = useCallback(() => {
    for (const key of MODIFIERS) if (held.has(key.id)) screen.current?.key(key, false)
    if (held.size > 0) setHeld(new Set())
  }, [held, screen])
  /** A key with whatever is held, which it uses up. */
  const press = (key: Key) => {
    screen.current?.key(key)
    release()
  }
  return { held, toggle, press, release }
}
export type Modifiers = ReturnType<typeof useModifiers>
