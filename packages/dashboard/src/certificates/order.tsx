/** Orders a certificate from an authority of the internet: for which names, and how they are shown to be ours. */
import type { ChallengeKind } from '@kalnet/contracts/certificate'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './certificates.module.css'
import { namesOf, namesProblem } from './order-text.ts'

export default function Order({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [challenge, setChallenge] = useState<ChallengeKind>('http-01')
  const [agree, setAgree] = useState(false)
  const [tried, setTried] = useState(false)
  const wrong = namesProblem(text, challenge)
  const order = useMutation({
    mutationFn: () =>
      call(ROUTES.certificates.order, { body: { names: namesOf(text), challenge, agree: true } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['certificates'] })
      toast({ tone: 'good', text: m.orderBegun })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!wrong && agree) order.mutate()
  }
  return (
    <Dialog title={m.orderTitle} onClose={onClose}>
      <DialogText>{m.orderText}</DialogText>
      <form className={css.form} onSubmit={submit} noValidate>
        {order.error && <ErrorBox problem={order.error} />}
        <Field
          label={m.orderNames}
          help={m.orderNamesHelp}
          placeholder={m.orderNamesExample}
          lines
          value={text}
          onChange={setText}
          problem={tried ? wrong : undefined}
        />
        <Pick
          label={m.orderHow}
          value={challenge}
          options={[
            { value: 'http-01', label: m.orderHttp, more: m.orderHttpMore },
            { value: 'dns-01', label: m.orderDns, more: m.orderDnsMore },
          ]}
          onChange={setChallenge}
        />
        <div>
          <Switch label={m.orderAgree} value={agree} onChange={setAgree} />
          {tried && !agree && <p className={css.problem}>{m.orderAgreeWrong}</p>}
        </div>
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={order.isPending}>
            {m.orderAction}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
