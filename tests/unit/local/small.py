"""A small stack of our own: a queue with a dead-letter queue, a table with a stream, a bucket, and one door to play with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.aws import EmbeddedAws
from local.clock import VirtualClock
from local.lambda_part import Lambda

NOON = 1_777_636_800_000_000
"""2026-05-01T12:00:00Z."""

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  PublicUrl: {Type: String, Default: ""}
Conditions:
  HasUrl: !Not [!Equals [!Ref PublicUrl, ""]]
Resources:
  Lake:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      NotificationConfiguration:
        QueueConfigurations:
          - Event: s3:ObjectCreated:*
            Queue: !GetAtt Work.Arn
            Filter: {S3Key: {Rules: [{Name: prefix, Value: inbox/}]}}
  Key: {Type: AWS::KMS::Key, Properties: {KeySpec: HMAC_256, KeyUsage: GENERATE_VERIFY_MAC, KeyPolicy: {}}}
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: shard, AttributeType: S}, {AttributeName: due, AttributeType: N}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: due
          KeySchema: [{AttributeName: shard, KeyType: HASH}, {AttributeName: due, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Dead: {Type: AWS::SQS::Queue}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Topic: {Type: AWS::SNS::Topic}
  Mail: {Type: AWS::SQS::Queue}
  MailSubscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Mail.Arn}
  Api: {Type: AWS::Serverless::HttpApi}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: functions/echo/
      Handler: handler.handler
      Role: arn:aws:iam::123456789012:role/none
      Environment:
        Variables:
          LAKE: !Ref Lake
          WORK_URL: !Ref Work
          URL: !If [HasUrl, !Ref PublicUrl, !Sub "https://${Api}.example/${AWS::Region}"]
          KEY: !GetAtt Key.Arn
          JOINED: !Join ["/", [a, !Select [1, !Split [",", "x,y"]]]]
      Events:
        Work:
          Type: SQS
          Properties: {Queue: !GetAtt Work.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Ledger.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 100
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb":{"Keys":{"id":{"S":[{"prefix":"message#"}]}}}}'}]}
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: "/u/{token}"}}
        Sweep:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(1 minute), Input: '{"task":"sweep"}', RoleArn: "arn:aws:iam::123456789012:role/none"}
"""


class Stack:
    """The running stack, and everything its door was called with."""

    def __init__(self, aws: EmbeddedAws, part: Lambda, clock: VirtualClock) -> None:
        self.aws = aws
        self.part = part
        self.clock = clock
        self.events: list[dict[str, Any]] = []
        self.handler: Callable[[dict[str, Any]], Any] = lambda event: None

    def physical(self, logical: str) -> str:
        return str(self.aws.template.ref(logical))

    def called(self, event: dict[str, Any], _: Any) -> Any:
        self.events.append(event)
        return self.handler(event)
