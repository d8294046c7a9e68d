/** Not connected: what is on screen stays, with its age. */
import { CloudOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import { ago } from '../format.ts'
import { useLink } from '../live.ts'
import * as m from '../messages/index.ts'
import css from './shell.module.css'

export function Offline() {
  const { state, heardAt } = useLink()
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (state !== 'away') return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 5_000)
    return () => clearInterval(timer)
  }, [state])
  if (state !== 'away') return null
  const old = now - heardAt > 60_000
  return (
    <div className={css.offline} role="status">
      <CloudOff aria-hidden />
      {old ? m.offline(ago(new Date(heardAt).toISOString(), now, m.justNow)) : m.offlineNow}
    </div>
  )
}
