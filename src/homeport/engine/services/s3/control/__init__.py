"""Amazon S3 Control: what S3 keeps of an account, and tags by ARN.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
"""
