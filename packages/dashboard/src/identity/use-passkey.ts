/** Signing in with a passkey: by its button, or chosen among what the browser fills into the e-mail field. */
import type { Entered } from '@kalnet/contracts/identity'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ApiProblem, call, ROUTES } from '../api.ts'

/** A question to the browser is good for five minutes; it is asked anew before. */
const ANEW_MS = 4 * 60_000

export const browserHasPasskeys = () => typeof PublicKeyCredential === 'function'
async function browserFillsIn(): Promise<boolean> {
  return browserHasPasskeys() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true
}

/** Null: nobody showed one. */
async function signInByPasskey(autofill: boolean): Promise<Entered | null> {
  const { askPasskey } = await import('./passkey.ts')
  const asked = await call(ROUTES.signIn.passkeyOptions)
  if (!asked.available) return null
  const response = await askPasskey(asked.options, autofill)
  return response && call(ROUTES.signIn.passkey, { body: { response } })
}

export function usePasskey(possible: boolean, onAnswer: (answer: Entered) => void) {
  const [round, setRound] = useState(0)
  const byButton = useMutation({
    mutationFn: () => signInByPasskey(false),
    onSuccess: (answer) => answer && onAnswer(answer),
    // The browser holds one question at a time: the button's took the waiting one's place.
    onSettled: (answer) => answer || setRound((it) => it + 1),
  })
  const take = useRef(onAnswer)
  take.current = onAnswer
  const [refused, setRefused] = useState<unknown>(null)

  useEffect(() => {
    if (!possible) return
    let over = false
    const offer = async () => {
      if (!(await browserFillsIn()) || over) return
      try {
        const answer = await signInByPasskey(true)
        if (answer && !over) take.current(answer)
      } catch (problem) {
        // Nobody asked for this yet: a browser that cannot do it here, or a lost connection, is no news. The server's refusal of a passkey is.
        if (!over && problem instanceof ApiProblem && problem.code === 'passkey.refused') setRefused(problem)
      }
    }
    void offer()
    const timer = setTimeout(() => setRound(round + 1), ANEW_MS)
    return () => {
      over = true
      clearTimeout(timer)
      void import('./passkey.ts').then(({ forgetQuestion }) => forgetQuestion())
    }
  }, [possible, round])

  return { byButton, refused: byButton.error ?? refused, declined: byButton.isSuccess && !byButton.data }
}
