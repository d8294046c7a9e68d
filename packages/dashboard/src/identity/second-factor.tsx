/** The second step: a code of the authenticator app, a passkey, or a recovery code; one can change between them. */
import type { Entered } from '@kalnet/contracts/identity'
import type { FactorProof } from '@kalnet/contracts/sign-in'
import { useMutation } from '@tanstack/react-query'
import { Fingerprint, KeyRound, Smartphone } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { ApiProblem, call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { CodeForm } from './code-form.tsx'
import css from './door.module.css'
import { Door } from './door.tsx'
import type { Waiting } from './entering.ts'
import { Note, Trouble } from './trouble.tsx'
import { browserHasPasskeys } from './use-passkey.ts'
import { useWait } from './use-wait.ts'

type Method = FactorProof['method']
/** What a person is asked for first, when there are several. */
const ORDER: Method[] = ['totp', 'passkey', 'recovery']
const TEXT: Record<Method, string> = {
  totp: m.factorTotpText,
  passkey: m.factorPasskeyText,
  recovery: m.factorRecoveryText,
}
const SWITCH: Record<Method, { label: string; icon: ReactNode }> = {
  totp: { label: m.factorUseTotp, icon: <Smartphone aria-hidden /> },
  passkey: { label: m.factorUsePasskey, icon: <Fingerprint aria-hidden /> },
  recovery: { label: m.factorUseRecovery, icon: <KeyRound aria-hidden /> },
}
const LONGEST_MS = 10 * 60_000

/** The clock of a device may be wrong by years: then the usual time is taken. */
const timeLeft = (expiresAt: string) => {
  const ms = Date.parse(expiresAt) - Date.now()
  return ms > 0 && ms <= LONGEST_MS ? ms : LONGEST_MS
}
const leftOf = (problem: unknown): number | null =>
  problem instanceof ApiProblem && typeof problem.details.left === 'number' ? problem.details.left : null

/** Undefined: the person declined. */
async function passkeyProof(attempt: string): Promise<FactorProof | undefined> {
  const { askPasskey } = await import('./passkey.ts')
  const asked = await call(ROUTES.signIn.secondFactorPasskey, { body: { attempt } })
  const response = asked.available ? await askPasskey(asked.options) : null
  return response ? { method: 'passkey', response } : undefined
}

interface SecondFactorProps {
  waiting: Waiting
  onEntered: (answer: Entered) => void
  /** Too late, or tried too often. */
  onOver: () => void
  onBack: () => void
}

export default function SecondFactor({ waiting, onEntered, onOver, onBack }: SecondFactorProps) {
  const { attempt } = waiting
  const usable = ORDER.filter(
    (it) => waiting.methods.includes(it) && (it !== 'passkey' || browserHasPasskeys()),
  )
  const [method, setMethod] = useState<Method>(usable[0] ?? 'recovery')
  const over = useRef(onOver)
  over.current = onOver
  useEffect(() => {
    const timer = setTimeout(() => over.current(), timeLeft(waiting.expiresAt))
    return () => clearTimeout(timer)
  }, [waiting.expiresAt])

  const prove = useMutation({
    mutationFn: async (given: FactorProof | null) => {
      const proof = given ?? (await passkeyProof(attempt))
      return proof ? call(ROUTES.signIn.secondFactor, { body: { attempt, proof } }) : null
    },
    onSuccess: (answer) => answer && onEntered(answer),
    onError: (problem) => {
      const last = problem instanceof ApiProblem && problem.code === 'second-factor.wrong'
      if (problem instanceof ApiProblem && problem.code === 'second-factor.over') onOver()
      else if (last && leftOf(problem) === 0) onOver()
    },
  })
  const wait = useWait(prove.error)
  const left = leftOf(prove.error)
  const change = (next: Method) => {
    prove.reset()
    setMethod(next)
  }
  return (
    <Door title={m.factorTitle} text={TEXT[method]}>
      <div className={css.form}>
        <Trouble
          problem={prove.error}
          wait={wait}
          words={{
            'second-factor.wrong': [
              m.factorWrong,
              method === 'totp' ? m.factorWrongNext(left) : m.recoveryWrongNext(left),
            ],
          }}
        />
        {method === 'passkey' ? (
          <>
            {prove.data === null && <Note title={m.passkeyNone} text={m.passkeyNoneNext} />}
            <Button
              look="primary"
              wide
              icon={<Fingerprint aria-hidden />}
              isPending={prove.isPending}
              isDisabled={Boolean(wait)}
              onPress={() => prove.mutate(null)}
              autoFocus
            >
              {m.factorUsePasskey}
            </Button>
          </>
        ) : (
          <CodeForm
            key={method}
            kind={method}
            wrong={prove.error}
            pending={prove.isPending}
            waiting={Boolean(wait)}
            action={m.factorGo}
            onCode={(code) => prove.mutate({ method, code })}
          />
        )}
      </div>
      <div className={css.others}>
        {usable
          .filter((it) => it !== method)
          .map((it) => (
            <Button key={it} look="plain" wide icon={SWITCH[it].icon} onPress={() => change(it)}>
              {SWITCH[it].label}
            </Button>
          ))}
        <Button look="plain" wide onPress={onBack}>
          {m.factorOtherAccount}
        </Button>
      </div>
    </Door>
  )
}
