/** A time as people say it, with the exact one on hover; it ages by itself. */
import { useEffect, useState } from 'react'
import { ago, exactly } from '../format.ts'
import * as m from '../messages/index.ts'

const EVERY_MS = 30_000

export function Ago({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <time dateTime={at} title={exactly(at)}>
      {ago(at, now, m.justNow)}
    </time>
  )
}
