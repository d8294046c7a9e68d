/** On entry: how to get out again. Gone after a few seconds. */
import { useEffect, useState } from 'react'
import * as m from '../messages/index.ts'
import { Key } from '../ui/parts.tsx'
import css from './viewer.module.css'

const SHOWN_MS = 6_000

export function Hint() {
  const [shown, setShown] = useState(true)
  useEffect(() => {
    const timer = setTimeout(() => setShown(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [])
  if (!shown) return null
  return (
    <p className={css.hint} role="status">
      <Key>{m.keyControl}</Key>
      <Key>{m.keyAlt}</Key>
      <Key>{m.keyShift}</Key>
      {m.viewerChord}
    </p>
  )
}
