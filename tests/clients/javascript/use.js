// Services as a JavaScript program uses them. AWS_ENDPOINT_URL and credentials come from the environment.
import assert from "node:assert/strict";
import { CloudFormation, waitUntilStackCreateComplete, waitUntilStackDeleteComplete } from "@aws-sdk/client-cloudformation";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogs, ResourceAlreadyExistsException } from "@aws-sdk/client-cloudwatch-logs";
import { CodeBuild } from "@aws-sdk/client-codebuild";
import { CodeCommit, RepositoryDoesNotExistException } from "@aws-sdk/client-codecommit";
import { CodePipeline, PipelineNotFoundException } from "@aws-sdk/client-codepipeline";
import { ECR, RepositoryNotFoundException } from "@aws-sdk/client-ecr";
import { ECS, ClusterNotFoundException } from "@aws-sdk/client-ecs";
import { Lambda, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { S3, GetObjectCommand, NoSuchKey, paginateListObjectsV2, PutObjectCommand, waitUntilObjectExists } from "@aws-sdk/client-s3";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { ParameterNotFound, SSM, paginateGetParametersByPath } from "@aws-sdk/client-ssm";
import { STS } from "@aws-sdk/client-sts";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const quick = { maxWaitTime: 60, minDelay: 1, maxDelay: 1 };

async function identity() {
  const sts = new STS({});
  assert.match((await sts.getCallerIdentity({})).Arn, /^arn:aws:iam::/);
  await assert.rejects(new STS({ credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" } }).getCallerIdentity({}), {
    name: "InvalidClientTokenId",
  });
}

async function objects() {
  const s3 = new S3({});
  const Bucket = "javascript";
  await s3.createBucket({ Bucket });
  const put = await s3.putObject({ Bucket, Key: "a b+ü.txt", Body: "hello" });
  assert.ok(put.ChecksumCRC32);
  const got = await s3.getObject({ Bucket, Key: "a b+ü.txt", ChecksumMode: "ENABLED" });
  assert.equal(await got.Body.transformToString(), "hello");
  assert.equal(got.ChecksumCRC32, put.ChecksumCRC32);
  for (const ChecksumAlgorithm of ["CRC32C", "CRC64NVME", "SHA1", "SHA256"]) {
    const one = await s3.putObject({ Bucket, Key: ChecksumAlgorithm, Body: "hello", ChecksumAlgorithm });
    assert.ok(one[`Checksum${ChecksumAlgorithm}`]);
    const back = await s3.getObject({ Bucket, Key: ChecksumAlgorithm, ChecksumMode: "ENABLED" });
    assert.equal(await back.Body.transformToString(), "hello");
  }
  const Body = Buffer.alloc(11 * 2 ** 20, "0123456789");
  const done = await new Upload({ client: s3, params: { Bucket, Key: "large", Body } }).done();
  assert.match(done.ETag, /-3"$/);
  const large = await s3.getObject({ Bucket, Key: "large", Range: "bytes=10-19" });
  assert.equal(await large.Body.transformToString(), "0123456789");
  await waitUntilObjectExists({ client: s3, ...quick }, { Bucket, Key: "large" });

  const signed = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "CRC32C" }), { expiresIn: 60 });
  assert.equal(await (await fetch(signed)).text(), "hello");
  const upload = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "put" }), { expiresIn: 60 });
  assert.equal((await fetch(upload, { method: "PUT", body: "by a browser" })).status, 200);

  const keys = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket })) {
    keys.push(...page.Contents.map((each) => each.Key));
  }
  assert.equal(keys.length, 7);
  await assert.rejects(s3.getObject({ Bucket, Key: "none" }), NoSuchKey);
  await assert.rejects(s3.headObject({ Bucket, Key: "none" }), { name: "NotFound" });
  const { Deleted } = await s3.deleteObjects({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } });
  assert.equal(Deleted.length, 7);
  await s3.deleteBucket({ Bucket });
}

async function values() {
  const ssm = new SSM({});
  for (const name of ["a", "b", "c"]) await ssm.putParameter({ Name: `/js/${name}`, Value: name, Type: "SecureString" });
  const found = [];
  for await (const page of paginateGetParametersByPath({ client: ssm, pageSize: 2 }, { Path: "/js", WithDecryption: true })) {
    found.push(...page.Parameters.map((each) => each.Value));
  }
  assert.deepEqual(found, ["a", "b", "c"]);
  assert.ok((await ssm.getParameter({ Name: "/js/a" })).Parameter.LastModifiedDate instanceof Date);
  await assert.rejects(ssm.getParameter({ Name: "none" }), ParameterNotFound);
  const secrets = new SecretsManager({});
  await secrets.createSecret({ Name: "js", SecretBinary: Buffer.from([1, 2, 3]) });
  assert.deepEqual([...(await secrets.getSecretValue({ SecretId: "js" })).SecretBinary], [1, 2, 3]);
}

async function stacks() {
  const cloudformation = new CloudFormation({});
  const TemplateBody = JSON.stringify({ Resources: { Topic: { Type: "AWS::SNS::Topic" } } });
  await cloudformation.createStack({ StackName: "js", TemplateBody });
  await waitUntilStackCreateComplete({ client: cloudformation, ...quick }, { StackName: "js" });
  const { Stacks } = await cloudformation.describeStacks({ StackName: "js" });
  assert.ok(Stacks[0].CreationTime instanceof Date);
  await assert.rejects(cloudformation.describeStacks({ StackName: "none" }), { name: "ValidationError" });
  await cloudformation.deleteStack({ StackName: "js" });
  await waitUntilStackDeleteComplete({ client: cloudformation, ...quick }, { StackName: Stacks[0].StackId });
}

async function metrics() {
  const cloudwatch = new CloudWatch({}); // speaks CBOR
  const now = Date.now();
  await cloudwatch.putMetricData({ Namespace: "js", MetricData: [{ MetricName: "m", Value: 2.5, Timestamp: new Date(now - 90000) }] });
  const { Datapoints } = await cloudwatch.getMetricStatistics({
    Namespace: "js", MetricName: "m", Period: 60, Statistics: ["Sum"], StartTime: new Date(now - 600000), EndTime: new Date(now),
  });
  assert.equal(Datapoints[0].Sum, 2.5);
  assert.ok(Datapoints[0].Timestamp instanceof Date);
  await assert.rejects(cloudwatch.getDashboard({ DashboardName: "none" }), { name: "ResourceNotFound" });
}

async function logs() {
  const client = new CloudWatchLogs({});
  const group = { logGroupName: "js", logStreamName: "one" };
  await client.createLogGroup({ logGroupName: "js" });
  await assert.rejects(client.createLogGroup({ logGroupName: "js" }), ResourceAlreadyExistsException);
  await client.createLogStream(group);
  await client.putLogEvents({ ...group, logEvents: [{ timestamp: Date.now(), message: "ü" }] });
  assert.equal((await client.getLogEvents({ ...group, startFromHead: true })).events[0].message, "ü");
}

async function delivery() {
  const ecs = new ECS({});
  assert.equal((await ecs.createCluster({ clusterName: "js" })).cluster.status, "ACTIVE");
  await assert.rejects(ecs.listTasks({ cluster: "none" }), ClusterNotFoundException);
  const ecr = new ECR({});
  assert.ok((await ecr.createRepository({ repositoryName: "js" })).repository.createdAt instanceof Date);
  await assert.rejects(ecr.describeRepositories({ repositoryNames: ["none"] }), RepositoryNotFoundException);
  assert.ok((await ecr.getAuthorizationToken({})).authorizationData[0].expiresAt > new Date());
  await assert.rejects(new CodePipeline({}).getPipeline({ name: "none" }), PipelineNotFoundException);
  await assert.rejects(new CodeCommit({}).getRepository({ repositoryName: "none" }), RepositoryDoesNotExistException);
  assert.deepEqual((await new CodeBuild({}).batchGetProjects({ names: ["none"] })).projectsNotFound, ["none"]);
  await assert.rejects(new Lambda({}).getFunction({ FunctionName: "none" }), ResourceNotFoundException);
}

await Promise.all([identity, objects, values, stacks, metrics, logs, delivery].map((part) => part()));
