import type { IamOperation } from './operation.ts'
import { pageFacts } from './pages.ts'

export const getAccountSummary: IamOperation<'GetAccountSummary'> = async (_input, { accountFacts, principal }) => ({
  SummaryMap: await accountFacts.summary(principal),
})

export const listAccountAliases: IamOperation<'ListAccountAliases'> = async (_input, { accountFacts, principal }) => ({
  AccountAliases: [...(await accountFacts.aliases(principal))],
  ...pageFacts({}),
})
