/** A choice about the viewer that this device remembers. */
import { useState } from 'react'

export function usePreference<T extends string>(name: string, first: T, known: readonly T[]) {
  const place = `kalnet.viewer.${name}`
  const [value, setValue] = useState<T>(() => {
    try {
      return known.find((it) => it === localStorage.getItem(place)) ?? first
    } catch {
      return first // storage may be switched off
    }
  })
  const choose = (next: T) => {
    setValue(next)
    try {
      localStorage.setItem(place, next)
    } catch {
      // Storage may be switched off: the choice then lasts as long as this page does.
      return
    }
  }
  return [value, choose] as const
}
