/** The way in: password or passkey or provider, then the second factor, or a new password. The e-mail is kept throughout. */
import { useQuery } from '@tanstack/react-query'
import { Suspense, useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import * as m from '../messages/index.ts'
import { statusQuery } from '../queries.ts'
import { Splash } from '../shell/splash.tsx'
import { renewed } from '../ui/later.tsx'
import { arrived, takeArrived } from './arrived.ts'
import { Door } from './door.tsx'
import { useEntering } from './entering.ts'
import { FirstStep } from './first-step.tsx'

const SecondFactor = renewed(() => import('./second-factor.tsx'))
const Forgot = renewed(() => import('./forgot.tsx'))

export default function SignIn() {
  const [, go] = useLocation()
  const status = useQuery(statusQuery)
  const [email, setEmail] = useState('')
  const [forgot, setForgot] = useState(false)
  const [over, setOver] = useState(false)
  const [{ waiting, back }] = useState(arrived)
  useEffect(takeArrived, [])
  const entering = useEntering(waiting, () => back && go(back, { replace: true }))
  if (status.data?.claimed === false) return <Door title={m.signInUnclaimed} text={m.signInUnclaimedText} />

  const begin = (tooLate: boolean) => {
    setOver(tooLate)
    entering.startOver()
  }
  return (
    <Suspense fallback={<Splash />}>
      {entering.waiting ? (
        <SecondFactor
          waiting={entering.waiting}
          onEntered={entering.take}
          onOver={() => begin(true)}
          onBack={() => begin(false)}
        />
      ) : forgot ? (
        <Forgot email={email} onEmail={setEmail} onBack={() => setForgot(false)} />
      ) : (
        <FirstStep
          email={email}
          onEmail={setEmail}
          over={over}
          onEntered={(answer) => {
            setOver(false)
            entering.take(answer)
          }}
          onForgot={() => setForgot(true)}
        />
      )}
    </Suspense>
  )
}
