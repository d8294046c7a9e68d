/** Nobody has typed for long: what comes of it, and one button that says that somebody is there. Typing says it, too. */
import type { Session } from '@kalnet/contracts/session'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { know, tellProblem } from '../sessions/actions.ts'
import { Button } from '../ui/button.tsx'
import css from './idle.module.css'

export default function Idle({ session }: { session: Session }) {
  const [now, setNow] = useState(Date.now)
  const keep = useMutation({
    mutationFn: () => call(ROUTES.sessions.keepAwake, { params: { id: session.id } }),
    onSuccess: know,
    onError: tellProblem,
  })
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  const { idle } = session
  if (!idle) return null
  const seconds = Math.max(0, Math.round((Date.parse(idle.at) - now) / 1_000))
  return (
    <section className={css.idle} aria-labelledby="idle-title">
      <div role="alert">
        <h2 id="idle-title">{m.idleTitle}</h2>
      </div>
      <p>{idle.action === 'hibernate' ? m.idleSleep(seconds) : m.idleStop(seconds)}</p>
      <Button look="primary" isPending={keep.isPending} onPress={() => keep.mutate()}>
        {m.keepAwake}
      </Button>
    </section>
  )
}
