import { credentialsOutput, type StsOperation } from './operation.ts'

/** Needs no permission: whoever has a long-lived key may have a short-lived one, where nothing denies it. */
export const getSessionToken: StsOperation<'GetSessionToken'> = async (input, { principal, userSessions }) => {
  const isWithSecondFactor = input.SerialNumber !== undefined || input.TokenCode !== undefined
  return {
    Credentials: credentialsOutput(await userSessions.begin(principal, input.DurationSeconds, isWithSecondFactor)),
  }
}
