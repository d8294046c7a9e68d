/** The connection is gone: the last picture stays, and the seconds are counted. */
import { useEffect, useState } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import css from './viewer.module.css'

/** Shorter than this it is not worth a word. */
const SILENT_MS = 400

export function Away({ since, onTryNow }: { since: number; onTryNow: () => void }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 200)
    return () => clearInterval(timer)
  }, [])
  if (now - since < SILENT_MS) return null
  return (
    <div className={css.away}>
      <div className={css.awayBox}>
        <h1 role="status">{m.awayTitle}</h1>
        <p>{m.awayFor(Math.round((now - since) / 1000))}</p>
        <Button look="primary" onPress={onTryNow}>
          {m.awayNow}
        </Button>
      </div>
    </div>
  )
}
